import type { Refusals } from "#audit";
import { AppError, type RawAnswer, type RawRequest, type RawRoute, type Secret } from "#platform";
import type { IdentityDeps } from "../deps.ts";
import { applyDirectoryEvent } from "../directory/apply-event.ts";
import { readDirectoryEvent, type DirectoryEvent } from "./read-event.ts";
import { readWebhookSecret, verifyWebhook } from "./verify-webhook.ts";

interface WebhookDeps extends IdentityDeps {
  readonly refusals: Refusals;
}

const BODY_BYTES_MAX = 1024 * 1024;

/**
 * `POST /webhooks/clerk`: verified over the raw bytes, applied in one transaction, then acknowledged.
 * Undefined without a secret: then there is nobody to believe. Throws AppError for a secret that is none.
 */
export function directoryWebhook(
  deps: WebhookDeps,
  secrets: readonly Secret[],
): RawRoute | undefined {
  const keys = secrets.map(keyOf);
  if (keys.length === 0) return undefined;
  return {
    method: "POST",
    path: "/webhooks/clerk",
    bodyBytesMax: BODY_BYTES_MAX,
    handle: (request) => receive(deps, keys, request),
  };
}

async function receive(
  deps: WebhookDeps,
  keys: readonly Buffer[],
  { headers, body, receivedAt }: RawRequest,
): Promise<RawAnswer> {
  const delivery = verifyWebhook(keys, { headers, body, now: receivedAt });
  if (!delivery) {
    deps.log.warn(
      { sizeBytes: body.length },
      "a directory delivery with a bad signature was refused",
    );
    await deps.refusals.record({
      action: "webhook.refused",
      details: { connector: "clerk", reason: "no valid signature" },
    });
    return { status: 401 };
  }
  let event: DirectoryEvent;
  try {
    event = readDirectoryEvent(body, delivery.sentAt);
  } catch (error) {
    // Signed and yet not understood: the sender tries again, and a person can see it on both sides.
    deps.log.error({ err: error, deliveryId: delivery.id }, "a directory event is not understood");
    return { status: 400 };
  }
  const outcome = await applyDirectoryEvent(deps, delivery.id, event);
  deps.log.info({ deliveryId: delivery.id, type: event.type, outcome }, "directory event received");
  return { status: 204 };
}

function keyOf(secret: Secret): Buffer {
  const key = readWebhookSecret(secret);
  if (key) return key;
  throw new AppError(
    "invalid_request",
    "identity.clerk.webhook_secret is not a signing secret (whsec_ and at least 24 bytes in base64): copy it from the endpoint's page.",
  );
}
