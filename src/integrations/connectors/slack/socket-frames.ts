import {
  idIn,
  parseRecord,
  recordIn,
  textIn,
  isRecord,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import type { PayloadKind } from "./deliveries.ts";

/** What a Socket Mode frame says. Anything can arrive; whatever is no frame of Slack is `unreadable`. */
export type SocketFrame =
  | { readonly kind: "hello"; readonly connections: number | undefined }
  | { readonly kind: "disconnect"; readonly reason: string }
  | {
      readonly kind: "envelope";
      readonly envelopeId: string;
      readonly type: string;
      readonly payloadKind: PayloadKind | undefined;
      readonly payload: UntrustedRecord | undefined;
      readonly retryAttempt: number;
    }
  | { readonly kind: "unreadable"; readonly reason: string };

const PAYLOAD_KINDS: ReadonlyMap<string, PayloadKind> = new Map([
  ["events_api", "event"],
  ["slash_commands", "command"],
  ["interactive", "interaction"],
]);

export function readFrame(data: string): SocketFrame {
  const frame = parseRecord(data);
  if (frame === undefined) return { kind: "unreadable", reason: "not a JSON object" };
  const type = idIn(frame, "type");
  if (type === "hello") return { kind: "hello", connections: readConnections(frame) };
  if (type === "disconnect") {
    return { kind: "disconnect", reason: idIn(frame, "reason") ?? "no reason" };
  }
  const envelopeId = idIn(frame, "envelope_id");
  if (envelopeId === undefined) return { kind: "unreadable", reason: "no envelope_id" };
  return {
    kind: "envelope",
    envelopeId,
    type: type ?? "no type",
    payloadKind: PAYLOAD_KINDS.get(type ?? ""),
    payload: isRecord(frame["payload"]) ? frame["payload"] : undefined,
    retryAttempt: typeof frame["retry_attempt"] === "number" ? frame["retry_attempt"] : 0,
  };
}

function readConnections(hello: UntrustedRecord): number | undefined {
  const count = hello["num_connections"];
  return typeof count === "number" && Number.isInteger(count) ? count : undefined;
}

/** Why a payload is worth a line in the log though it is no delivery; undefined when it is not. */
export function describeNotice(payload: UntrustedRecord): string | undefined {
  if (payload["type"] !== "app_rate_limited") return undefined;
  const team = idIn(payload, "team_id") ?? textIn(recordIn(payload, "team"), "id") ?? "unknown";
  return `Slack drops events of ${team}: more than 30,000 in an hour`;
}
