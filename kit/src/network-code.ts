/** Failures before a byte of the request left. */
const NOT_SENT: ReadonlySet<string> = new Set([
  "EACCES",
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** TLS agrees before the request goes out. */
const TLS = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|UNABLE_)/;

/** Whether a network failure of this code came before anything was sent: then nothing was performed. */
export function isNotSent(code: string): boolean {
  return NOT_SENT.has(code) || TLS.test(code);
}

/** The code of a network failure ("ECONNREFUSED"), which fetch and vendors' clients hide in causes. */
export function networkCodeOf(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    if ("code" in current && typeof current.code === "string") return current.code;
    current = current.cause;
  }
  return undefined;
}
