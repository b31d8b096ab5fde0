import { createHash } from "node:crypto";
import {
  type Delivery,
  arrayIn,
  idIn,
  isRecord,
  recordIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { MESSAGE_SUBTYPES } from "./message-subtypes.ts";

/** The form of a payload: it decides where its ids stand and how `parse` reads it. */
export type PayloadKind = "event" | "command" | "interaction";

/**
 * Identifies what Slack sent. The same payload gives the same delivery over Socket Mode and over
 * HTTP. Undefined for what concerns no account and so cannot be stored, such as `app_rate_limited`.
 */
export function createDelivery(
  kind: PayloadKind,
  payload: UntrustedRecord,
  receivedAt: Date,
): Delivery | undefined {
  return CREATE[kind](payload, receivedAt);
}

const CREATE = {
  event: createEventDelivery,
  command: createCommandDelivery,
  interaction: createInteractionDelivery,
} satisfies Record<
  PayloadKind,
  (payload: UntrustedRecord, receivedAt: Date) => Delivery | undefined
>;

function createEventDelivery(payload: UntrustedRecord): Delivery | undefined {
  const event = recordIn(payload, "event");
  const accountId = accountOfEvent(payload);
  if (payload["type"] !== "event_callback" || accountId === undefined) return undefined;
  if (idIn(event, "type") === undefined) return undefined;
  const body = encode(payload);
  const channelId = idIn(event, "channel") ?? idIn(recordIn(event, "item"), "channel");
  const ts = idIn(event, "ts");
  const threadId = idIn(event, "thread_ts") ?? ts;
  const isMessage = channelId !== undefined && ts !== undefined && standsForMessage(event);
  return {
    deliveryId: idIn(payload, "event_id") ?? fingerprint("event", body),
    accountId,
    ...(isMessage && { messageKey: `${accountId}:${channelId}:${ts}` }),
    orderKey: orderKey(accountId, channelId, isMessage ? threadId : undefined),
    kind: "event",
    body,
  };
}

/**
 * Whether this is the message itself. An edit or a deletion names the message too, and an edit that
 * adds a mention arrives as `app_mention` with the original's ts: stored first, under the same key,
 * it would swallow the original.
 */
function standsForMessage(event: UntrustedRecord): boolean {
  if (event["hidden"] === true) return false;
  if (event["type"] === "app_mention") return !isRecord(event["edited"]);
  if (event["type"] !== "message") return false;
  const subtype = event["subtype"];
  return subtype === undefined || (typeof subtype === "string" && MESSAGE_SUBTYPES.has(subtype));
}

function createCommandDelivery(payload: UntrustedRecord, receivedAt: Date): Delivery | undefined {
  const accountId = accountOf(payload, idIn(payload, "enterprise_id"), idIn(payload, "team_id"));
  if (accountId === undefined || idIn(payload, "command") === undefined) return undefined;
  // Slack puts no time into a command, and reading it later must not need a clock.
  const body = encode({ ...payload, infragpt_received_at: receivedAt.toISOString() });
  const triggerId = idIn(payload, "trigger_id");
  return {
    deliveryId: triggerId ? `command:${triggerId}` : fingerprint("command", encode(payload)),
    accountId,
    orderKey: orderKey(accountId, idIn(payload, "channel_id"), idIn(payload, "user_id")),
    kind: "command",
    body,
  };
}

function createInteractionDelivery(payload: UntrustedRecord): Delivery | undefined {
  const team = recordIn(payload, "team");
  const user = recordIn(payload, "user");
  const accountId = accountOf(
    payload,
    idIn(recordIn(payload, "enterprise"), "id") ?? idIn(team, "enterprise_id"),
    idIn(team, "id") ?? idIn(user, "team_id"),
  );
  if (accountId === undefined || idIn(payload, "type") === undefined) return undefined;
  const body = encode(payload);
  const container = recordIn(payload, "container");
  const message = recordIn(payload, "message");
  const triggerId = idIn(payload, "trigger_id");
  return {
    deliveryId: triggerId ? `interaction:${triggerId}` : fingerprint("interaction", body),
    accountId,
    orderKey: orderKey(
      accountId,
      idIn(recordIn(payload, "channel"), "id") ?? idIn(container, "channel_id"),
      idIn(container, "thread_ts") ??
        idIn(message, "thread_ts") ??
        idIn(container, "message_ts") ??
        idIn(message, "ts"),
    ),
    kind: "interaction",
    body,
  };
}

/**
 * The installation that receives the event, which in a channel shared between companies is not the
 * `team_id` it happened in: https://docs.slack.dev/apis/events-api (authorizations).
 */
function accountOfEvent(payload: UntrustedRecord): string | undefined {
  const [first] = arrayIn(payload, "authorizations");
  const authorization = isRecord(first) ? first : {};
  const enterpriseId = idIn(authorization, "enterprise_id") ?? idIn(payload, "enterprise_id");
  return accountOf(
    isRecord(first) ? authorization : payload,
    enterpriseId,
    idIn(authorization, "team_id") ?? idIn(payload, "team_id"),
  );
}

function accountOf(
  source: UntrustedRecord,
  enterpriseId: string | undefined,
  teamId: string | undefined,
): string | undefined {
  const flag = source["is_enterprise_install"];
  const isEnterpriseInstall = flag === true || flag === "true";
  return (isEnterpriseInstall ? enterpriseId : undefined) ?? teamId ?? enterpriseId;
}

function orderKey(
  accountId: string,
  channelId: string | undefined,
  rest: string | undefined,
): string {
  return [accountId, channelId, rest].filter((part) => part !== undefined).join(":");
}

function encode(payload: UntrustedRecord): Uint8Array {
  return Buffer.from(JSON.stringify(payload));
}

function fingerprint(kind: PayloadKind, body: Uint8Array): string {
  return `${kind}:${createHash("sha256").update(body).digest("hex")}`;
}
