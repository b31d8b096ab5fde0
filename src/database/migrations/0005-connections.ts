import type { Migration } from "../migrate.ts";

/** How accounts are connected, kept fresh, watched and given back. */
export const connections: Migration = {
  name: "0005-connections",
  sql: `
    alter table integrations
      add column credential_type text check (
        credential_type in ('oauth2', 'token', 'service_account', 'api_key', 'role')
      ),
      -- The earliest end of its credentials; null where they do not expire.
      add column credentials_expire_at timestamptz,
      -- 'running' is written before the vendor is asked: if the answer is lost, this shows it.
      add column refresh_state text not null default 'idle' check (refresh_state in ('idle', 'running', 'failed')),
      add column refresh_started_at timestamptz,
      -- No attempt before this moment, after one that the vendor did not perform.
      add column refresh_after timestamptz,
      add column health_missing text[] not null default '{}',
      -- Probes in a row that could not say anything.
      add column health_failures integer not null default 0,
      add column health_next_at timestamptz not null default now(),
      add column synced_at timestamptz,
      add column sync_failure text;
    create index integrations_health_due on integrations (health_next_at) where status = 'active';
    create index integrations_refresh_due on integrations (credentials_expire_at)
      where status = 'active' and credentials_expire_at is not null and refresh_state <> 'failed';
    -- People tell the accounts of one vendor apart by their labels.
    create unique index integrations_live_label on integrations (organization_id, connector_type, lower(label))
      where status <> 'deleted' and label <> '';

    -- A person on the way to a vendor and back. The state itself is known to the browser and the
    -- vendor only; the PKCE verifier is sealed as the credential "pkce_verifier" of this row's id.
    create table authorization_states (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      state_hash bytea not null unique,
      connector_type text not null,
      label text not null default '',
      principal_id text not null,
      user_id uuid,
      browser_hash bytea not null,
      redirect_uri text not null,
      -- What a customer's role has to ask for: made by us, never typed in.
      external_id text,
      format smallint,
      kek_id text,
      wrapped_dek bytea,
      ciphertext bytea,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      unique (id, organization_id)
    );
    create index authorization_states_of_organization on authorization_states (organization_id, expires_at);
    select secure_tenant_table('authorization_states');

    -- What is needed to take a grant back at its vendor: the credentials, moved here as they were
    -- sealed, in the transaction that ends the integration. Deleted once the vendor has answered.
    create table revocation_credentials (
      id uuid primary key,
      organization_id uuid not null,
      integration_id uuid not null,
      credential_type text not null,
      version integer not null,
      format smallint not null,
      kek_id text not null,
      wrapped_dek bytea not null,
      ciphertext bytea not null,
      created_at timestamptz not null,
      unique (integration_id, credential_type),
      unique (id, organization_id),
      foreign key (organization_id, integration_id) references integrations (organization_id, id)
    );
    select secure_tenant_table('revocation_credentials');

    create table integration_resources (
      organization_id uuid not null,
      integration_id uuid not null,
      external_id text not null,
      kind text not null,
      name text not null,
      url text,
      permissions jsonb not null default '{}',
      metadata jsonb not null default '{}',
      synced_at timestamptz not null,
      primary key (organization_id, integration_id, external_id),
      foreign key (organization_id, integration_id) references integrations (organization_id, id)
    );
    create index integration_resources_by_name on integration_resources (organization_id, lower(name));
    select secure_tenant_table('integration_resources');

    -- The message that tells an integration's owners that it is not well; edited when it is again.
    create table health_cards (
      integration_id uuid primary key,
      organization_id uuid not null,
      id uuid not null,
      chat_integration_id uuid not null,
      channel_id text not null,
      message_id text,
      shown_status text not null,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      unique (id, organization_id),
      foreign key (organization_id, integration_id) references integrations (organization_id, id),
      foreign key (organization_id, chat_integration_id) references integrations (organization_id, id)
    );
    select secure_tenant_table('health_cards');
  `,
};
