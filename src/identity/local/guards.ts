/** What a request says about where it comes from. */
export interface RequestOrigin {
  /** Address of the caller, with or without its port. */
  readonly peer: string;
  readonly method?: string | undefined;
  /** The Host header. */
  readonly host?: string | undefined;
  /** The Origin header, which browsers send with everything but plain GETs. */
  readonly origin?: string | undefined;
}

const LOOPBACK_ADDRESS =
  /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}(:\d+)?|\[?::1\]?(:\d+)?|\[?::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3}\]?(:\d+)?)$/;
const LOOPBACK_HOST = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i;
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether the caller's address is of this machine. */
export function isLoopback(peer: string): boolean {
  return LOOPBACK_ADDRESS.test(peer);
}

/**
 * Whether a browser on this machine speaks to us by our own name. A page whose name was pointed at
 * 127.0.0.1 (DNS rebinding) brings its own name as Host.
 */
export function isFromThisMachine({ peer, host }: RequestOrigin): boolean {
  return isLoopback(peer) && host !== undefined && LOOPBACK_HOST.test(host);
}

/** Whether a cookie may speak for a request: what changes something must come from a page of ours. */
export function isOwnPage({ method = "GET", host, origin }: RequestOrigin): boolean {
  if (SAFE_METHODS.has(method)) return true;
  return (
    origin !== undefined && host !== undefined && URL.parse(origin)?.host === host.toLowerCase()
  );
}
