const SESSION_COOKIE = "infragpt_session";

/** The session's token in a Cookie header; the first where there are several. */
export function readSessionCookie(header: string | undefined): string | undefined {
  for (const part of (header ?? "").slice(0, 8_192).split(";")) {
    const [name, value] = part.trim().split("=", 2);
    if (name === SESSION_COOKIE) return value;
  }
  return undefined;
}

// Lax, not Strict: a link from a chat to the confirmation page has to find the session.
const ATTRIBUTES = "Path=/; HttpOnly; SameSite=Lax";

export function sessionCookie(token: string, secondsMax: number): string {
  return `${SESSION_COOKIE}=${token}; Max-Age=${secondsMax}; ${ATTRIBUTES}`;
}

export const NO_SESSION_COOKIE = `${SESSION_COOKIE}=; Max-Age=0; ${ATTRIBUTES}`;
