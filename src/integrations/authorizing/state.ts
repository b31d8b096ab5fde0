import { createHash, randomBytes } from "node:crypto";

/** How long a person may take at the vendor. */
export const STATE_SECONDS = 600;
/** 256 bits, base64url. */
const SHAPE = /^[A-Za-z0-9_-]{43}$/;

export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What is stored of a state or a cookie: a reader of the database cannot use it. */
export function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

export function looksLikeState(value: string | undefined): value is string {
  return value !== undefined && SHAPE.test(value);
}

/** The S256 challenge of a PKCE verifier: RFC 7636, section 4.2. */
export function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}

/**
 * The cookie that ties a state to the browser that began it. Each state has its own, so that two tabs
 * do not disturb each other. Lax: the vendor sends the person back by a link.
 */
export function browserCookie(state: string, value: string, isSecure: boolean): string {
  const attributes = `Max-Age=${STATE_SECONDS}; Path=/; HttpOnly; SameSite=Lax`;
  return `${cookieName(state, isSecure)}=${value}; ${attributes}${isSecure ? "; Secure" : ""}`;
}

/** Undefined when the browser did not bring the cookie of this state. */
export function readBrowserCookie(
  header: string | undefined,
  state: string,
  isSecure: boolean,
): string | undefined {
  const wanted = cookieName(state, isSecure);
  for (const part of (header ?? "").slice(0, 16_384).split(";")) {
    const [name, value] = part.trim().split("=", 2);
    if (name === wanted && looksLikeState(value)) return value;
  }
  return undefined;
}

/** "__Host-": no subdomain and no page without TLS can plant it. Named by the state's hash, which says nothing of the state. */
function cookieName(state: string, isSecure: boolean): string {
  const name = `infragpt_connect_${hashOf(state).toString("hex").slice(0, 16)}`;
  return isSecure ? `__Host-${name}` : name;
}
