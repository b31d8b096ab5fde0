import type { Migration } from "../migrate.ts";

/** Locks the integrations for as long as a small index takes: milliseconds. */
export const suspensions: Migration = {
  name: "0007-suspensions",
  sql: `
    -- When the account closed or opened the connection, by the vendor's clock: older news is ignored.
    alter table integrations add column vendor_status_at timestamptz;
    -- A suspended connection is probed too: that is how it opens again when the vendor's word was lost.
    drop index integrations_health_due;
    create index integrations_health_due on integrations (health_next_at) where status in ('active', 'suspended');
  `,
};
