import { createHmac, randomUUID } from "node:crypto";

import type { AppIdentity } from "./app-identity.ts";
import type { SignOptions } from "./model.ts";

/** The headers that GitHub sends with a webhook of an App. */
export function signWebhook(
  app: AppIdentity,
  body: string | Uint8Array,
  { event, guid = randomUUID(), secret = app.webhookSecret, targetId = app.appId }: SignOptions,
): Readonly<Record<string, string>> {
  return {
    accept: "*/*",
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/0a1b2c3",
    "x-github-event": event,
    "x-github-delivery": guid,
    "x-github-hook-id": "400000001",
    "x-github-hook-installation-target-id": targetId,
    "x-github-hook-installation-target-type": "integration",
    "x-hub-signature": `sha1=${createHmac("sha1", secret).update(body).digest("hex")}`,
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
}
