import { createHash, createPublicKey } from "node:crypto";
import { jwtVerify, type CryptoKey, type KeyObject } from "jose";
import { AppError, type Clock, type Log, type Secret } from "#platform";
import { createKeySet } from "./key-set.ts";
import { readSession, type Session } from "./session-claims.ts";

const SKEW_SECONDS = 5;
const TOKEN_CHARACTERS_MAX = 8_192;
const KID_CHARACTERS_MAX = 200;
/** About 5 MB when full. */
const REMEMBERED_MAX = 10_000;
/** A session verified once is believed this long, or until it ends: a key that was taken back counts soon. */
const REMEMBERED_MS = 60_000;

export interface SessionVerifierOptions {
  /** Exactly the `iss` of this instance: its Frontend API URL. */
  readonly issuer: string;
  readonly jwksUrl: string;
  /** PEM: verifies without asking for keys. */
  readonly jwtKey?: Secret | undefined;
  readonly authorizedParties: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface SessionVerifier {
  /** The session of a token of this instance; undefined for every other text. Never throws for what the text is. */
  verify(token: string): Promise<Session | undefined>;
}

/** Verifies Clerk's session tokens: RS256 only, whatever their header says. */
export function createSessionVerifier(options: SessionVerifierOptions): SessionVerifier {
  const { clock, issuer } = options;
  const authorizedParties = new Set(options.authorizedParties.map(withoutSlash));
  const remembered = new Map<string, { readonly session: Session; readonly untilMs: number }>();
  const findKey = keyFinder(options);

  async function verifyNew(token: string): Promise<Session | undefined> {
    const now = clock.now();
    try {
      const { payload } = await jwtVerify(
        token,
        async ({ kid, typ }: { readonly kid?: unknown; readonly typ?: unknown }) => {
          if (typ !== undefined && typ !== "JWT") throw new UnknownKey();
          return findKey(kid);
        },
        {
          algorithms: ["RS256"],
          issuer,
          clockTolerance: SKEW_SECONDS,
          currentDate: now,
          requiredClaims: ["exp", "iat", "sub"],
        },
      );
      return readSession(payload, { authorizedParties, now, skewSeconds: SKEW_SECONDS });
    } catch (error) {
      options.log.debug({ err: error }, "a session token was refused");
      return undefined;
    }
  }

  return {
    async verify(token) {
      if (token.length > TOKEN_CHARACTERS_MAX) return undefined;
      const hash = createHash("sha256").update(token).digest("base64url");
      const nowMs = clock.now().getTime();
      const known = remembered.get(hash);
      if (known && nowMs < known.untilMs) return known.session;
      if (known) remembered.delete(hash);
      const session = await verifyNew(token);
      if (session) {
        const endsAtMs = session.expiresAt.getTime() + SKEW_SECONDS * 1000;
        remembered.set(hash, { session, untilMs: Math.min(endsAtMs, nowMs + REMEMBERED_MS) });
        // The oldest goes: tokens live for a minute, so it has ended or will soon.
        for (const oldest of remembered.keys()) {
          if (remembered.size <= REMEMBERED_MAX) break;
          remembered.delete(oldest);
        }
      }
      return session;
    },
  };
}

class UnknownKey extends Error {
  override readonly name = "UnknownKey";
}

function keyFinder(
  options: SessionVerifierOptions,
): (kid: unknown) => Promise<CryptoKey | KeyObject> {
  const { jwtKey } = options;
  if (jwtKey) {
    const key = readPem(jwtKey);
    return async () => key;
  }
  const keys = createKeySet({ ...options, url: options.jwksUrl });
  return async (kid) => {
    if (typeof kid !== "string" || kid.length > KID_CHARACTERS_MAX) throw new UnknownKey();
    const key = await keys.find(kid);
    if (!key) throw new UnknownKey();
    return key;
  };
}

function readPem(jwtKey: Secret): KeyObject {
  try {
    const key = createPublicKey(jwtKey.reveal());
    if (key.asymmetricKeyType === "rsa") return key;
  } catch (cause) {
    throw wrongKey(cause);
  }
  throw wrongKey(undefined);
}

function wrongKey(cause: unknown): AppError {
  return new AppError(
    "invalid_request",
    "identity.clerk.jwt_key is not the PEM of an RSA public key: copy it from Clerk's API keys page.",
    { cause },
  );
}

function withoutSlash(origin: string): string {
  return origin.replace(/\/+$/, "");
}
