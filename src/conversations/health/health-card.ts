import type { Card, CardAction } from "@infragpt/connector-kit";
import type { Integration } from "#integrations";

export interface HealthMessage {
  /** What notifications say. */
  readonly text: string;
  readonly card: Card;
}

/** How an integration is, in one word of the card. */
export function statusOf({ status, health }: Integration): string {
  return status === "deleted" ? "ended" : health.status;
}

/** Whether nobody has to do anything. */
export function isWell(integration: Integration): boolean {
  const status = statusOf(integration);
  return status === "healthy" || status === "unknown";
}

/** What the owners of an integration see: what is wrong and the one thing to do, or that it works again. */
export function healthMessage(integration: Integration, reconnectUrl: string): HealthMessage {
  const { health, label, connectorId, profile } = integration;
  const name = `${label || profile.accountName} (${connectorId})`;
  if (isWell(integration)) {
    const text = `${name} works again.`;
    return { text, card: { tone: "good", title: `${name} works again` } };
  }
  const missing = health.missingPermissions.join(", ");
  const title = TITLES[statusOf(integration)] ?? "is not well";
  const since = health.lastSuccessAt?.toISOString().slice(0, 16).replace("T", " ");
  const actions: CardAction[] = [{ kind: "link", label: "Reconnect", url: reconnectUrl }];
  return {
    text: `${name} ${title}: ${health.detail ?? "reconnect it"}`,
    card: {
      tone: statusOf(integration) === "degraded" ? "warning" : "bad",
      title: `${name} ${title}`,
      ...(health.detail && { text: health.detail }),
      facts: [
        ...(missing === "" ? [] : [{ label: "Missing", value: missing }]),
        ...(since ? [{ label: "Last worked", value: `${since} UTC` }] : []),
      ],
      actions,
    },
  };
}

const TITLES: Readonly<Record<string, string>> = {
  degraded: "does not work fully",
  expired: "has expired",
  revoked: "was revoked",
  ended: "was disconnected",
};
