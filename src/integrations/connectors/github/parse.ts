import {
  parseRecord,
  recordIn,
  textIn,
  type Delivery,
  type InboundEvent,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { signalOf } from "./signals.ts";
import { timeIn } from "./payload.ts";

/** What a stored delivery means. Pure. */
export function parseDelivery({ kind, body }: Delivery): readonly InboundEvent[] {
  const payload = parseRecord(Buffer.from(body).toString("utf8"));
  if (payload === undefined) return [{ kind: "ignored", reason: "it is not a JSON object" }];
  return [lifeCycleOf(kind, payload) ?? signalEvent(kind, payload)];
}

function signalEvent(event: string, payload: UntrustedRecord): InboundEvent {
  const signal = signalOf(event, payload);
  if (signal) return { kind: "signal", signal };
  return { kind: "ignored", reason: `nothing is done with ${event}` };
}

/** What changes the connection itself. Undefined for everything else. */
function lifeCycleOf(event: string, payload: UntrustedRecord): InboundEvent | undefined {
  const action = textIn(payload, "action") ?? "";
  switch (event) {
    case "installation":
      return installationEvent(action, payload);
    case "installation_repositories":
    case "installation_target":
      return { kind: "resources_changed", reason: `${event}.${action}` };
    case "repository":
      return REPOSITORY_CHANGES.has(action)
        ? { kind: "resources_changed", reason: `repository.${action}` }
        : undefined;
  }
  return undefined;
}

const REPOSITORY_CHANGES = new Set([
  "archived",
  "created",
  "deleted",
  "edited",
  "privatized",
  "publicized",
  "renamed",
  "transferred",
  "unarchived",
]);

function installationEvent(action: string, payload: UntrustedRecord): InboundEvent {
  const installation = recordIn(payload, "installation");
  const sender = textIn(recordIn(payload, "sender"), "login") ?? "somebody";
  const at = timeIn(installation, "updated_at") ?? new Date(0);
  switch (action) {
    case "deleted":
      return { kind: "disconnected", reason: `the app was uninstalled by ${sender}` };
    case "suspend": {
      const suspendedAt = timeIn(installation, "suspended_at") ?? at;
      return { kind: "suspended", reason: `suspended at GitHub by ${sender}`, at: suspendedAt };
    }
    case "unsuspend":
      return { kind: "resumed", reason: `opened again at GitHub by ${sender}`, at };
    case "created":
    case "new_permissions_accepted":
      return { kind: "resources_changed", reason: `installation.${action}` };
  }
  return { kind: "ignored", reason: `nothing is done with installation.${action}` };
}
