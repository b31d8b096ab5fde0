import { importJWK, type CryptoKey } from "jose";
import { z } from "zod";
import type { Clock, Log } from "#platform";

const FETCH_TIMEOUT_MS = 5_000;
const COOLDOWN_MS = 30_000;
const FRESH_MS = 10 * 60_000;
/** Known keys still verify this long after the endpoint was last heard. */
const STALE_MS = 24 * 3_600_000;
const BYTES_MAX = 64 * 1024;
/** 2,048 bits in base64url. */
const MODULUS_CHARACTERS_MIN = 342;

const Jwks = z.object({ keys: z.array(z.unknown()).max(50) });
const RsaKey = z.object({
  kty: z.literal("RSA"),
  kid: z.string().min(1).max(200),
  use: z.literal("sig").optional(),
  alg: z.literal("RS256").optional(),
  n: z.string().min(MODULUS_CHARACTERS_MIN).max(2_048),
  e: z.string().min(1).max(16),
});

export interface KeySet {
  /** The key of that id; undefined when nobody knows it. Asks the endpoint at most once in 30 s. */
  find(kid: string): Promise<CryptoKey | undefined>;
}

interface KeySetDeps {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The public keys of one Clerk instance, kept for ten minutes, and for a day when its endpoint is away. */
export function createKeySet(deps: KeySetDeps): KeySet {
  // A Map: an id such as "__proto__" is an id like any other.
  let keys: ReadonlyMap<string, CryptoKey> = new Map();
  let fetchedAtMs = -Infinity;
  let triedAtMs = -Infinity;
  let refreshing: Promise<void> | undefined;

  // For everybody who waits, so no single caller's signal ends it.
  async function refresh(): Promise<void> {
    triedAtMs = deps.clock.now().getTime();
    try {
      keys = await fetchKeys(deps);
      fetchedAtMs = deps.clock.now().getTime();
    } catch (error) {
      deps.log.warn({ err: error, url: deps.url }, "the session keys could not be fetched");
    }
  }

  return {
    async find(kid) {
      const nowMs = deps.clock.now().getTime();
      const isFresh = nowMs - fetchedAtMs < FRESH_MS;
      if (isFresh && keys.has(kid)) return keys.get(kid);
      if (!refreshing && nowMs - triedAtMs >= COOLDOWN_MS) {
        refreshing = refresh().finally(() => (refreshing = undefined));
      }
      await refreshing;
      return nowMs - fetchedAtMs < STALE_MS ? keys.get(kid) : undefined;
    },
  };
}

async function fetchKeys({ url }: KeySetDeps): Promise<ReadonlyMap<string, CryptoKey>> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    redirect: "error",
    headers: { accept: "application/json" },
  });
  if (!response.ok) throw new Error(`The key endpoint answered ${response.status}.`);
  const { keys } = Jwks.parse(JSON.parse(await readBounded(response)));
  const found = new Map<string, CryptoKey>();
  for (const candidate of keys) {
    // Keys of other kinds may stand beside ours.
    const key = RsaKey.safeParse(candidate);
    if (!key.success) continue;
    const { kty, n, e, kid } = key.data;
    const imported = await importJWK({ kty, n, e }, "RS256");
    if (!(imported instanceof Uint8Array)) found.set(kid, imported);
  }
  if (found.size === 0) throw new Error("The key endpoint told no RSA key.");
  return found;
}

async function readBounded(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > BYTES_MAX) throw new Error("The key endpoint's answer is too long.");
  }
  return text + decoder.decode();
}
