/** How long a Socket Mode link waits for what. */
export interface SocketTimings {
  readonly pingIntervalMs: number;
  /** A link that says nothing for this long after our ping is half-open. */
  readonly pongTimeoutMs: number;
  /** Slack pings about every 10 s; once it has started, so much silence means it forgot the link. */
  readonly serverSilenceMs: number;
  /** From the connect to the hello frame. */
  readonly helloTimeoutMs: number;
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
  /** Slack may ask for a longer wait, up to this. */
  readonly retryAfterMaxMs: number;
  /** After answers that only a person can change, such as invalid_auth. */
  readonly backoffFatalMs: number;
  /** A link that lived so long proves that reconnecting at once is no storm. */
  readonly stableAfterMs: number;
  /** Storing that takes longer counts as failed; Slack repeats after 3 s anyway. */
  readonly storeTimeoutMs: number;
  /** How long a closing link waits for deliveries that are being stored. */
  readonly drainMs: number;
}

export const SOCKET_TIMINGS: SocketTimings = {
  pingIntervalMs: 5_000,
  pongTimeoutMs: 5_000,
  serverSilenceMs: 30_000,
  helloTimeoutMs: 10_000,
  backoffFirstMs: 500,
  backoffMaxMs: 30_000,
  retryAfterMaxMs: 300_000,
  backoffFatalMs: 30_000,
  stableAfterMs: 10_000,
  storeTimeoutMs: 30_000,
  drainMs: 5_000,
};
