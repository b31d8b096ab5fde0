import type { AccountProfile, Delivery } from "@infragpt/connector-kit";
import { createDelivery, type PayloadKind } from "./deliveries.ts";

/** Payloads as Slack sends them, for tests. */
export const ACCOUNT: AccountProfile = {
  accountId: "T1",
  accountName: "Acme",
  botId: "UBOT",
  metadata: { bot_id: "BBOT", team_id: "T1" },
};

type Payload = Readonly<Record<string, unknown>>;

export function eventPayload(event: Payload, around: Payload = {}): Payload {
  return {
    type: "event_callback",
    team_id: "T1",
    event_id: "Ev1",
    event_time: 1_700_000_000,
    authorizations: [{ enterprise_id: null, team_id: "T1", is_enterprise_install: false }],
    event,
    ...around,
  };
}

export function messageEvent(fields: Payload = {}): Payload {
  return {
    type: "message",
    channel: "C1",
    channel_type: "channel",
    user: "U1",
    text: "hello",
    ts: "1700000000.000100",
    ...fields,
  };
}

/** Fails the test when Slack's payload is no delivery. */
export function toDelivery(kind: PayloadKind, payload: Payload): Delivery {
  const delivery = createDelivery(kind, payload, new Date("2026-11-01T00:00:00Z"));
  if (delivery === undefined) throw new Error("this payload is no delivery");
  return delivery;
}
