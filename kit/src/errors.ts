/**
 * Why a call to a vendor failed, in the words that decide what happens next.
 *
 * - `rate_limited`: not performed; try again after `retryAfterMs`.
 * - `unavailable`: not performed; try again later.
 * - `uncertain`: may have been performed (timeout, connection lost): look before trying again.
 * - `unauthorized`: the credentials no longer work; a person must reconnect.
 * - `missing_permission`: the credentials work, but not for this.
 * - `not_member`: our bot must be invited first.
 * - `gone`: the target is archived or deleted, for good.
 * - `rejected`: the vendor will never take this call as it is.
 */
export type ConnectorErrorKind =
  | "rate_limited"
  | "unavailable"
  | "uncertain"
  | "unauthorized"
  | "missing_permission"
  | "not_member"
  | "gone"
  | "rejected";

interface ConnectorErrorOptions {
  readonly cause?: unknown;
  readonly retryAfterMs?: number;
  /** The vendor's own code, such as "channel_not_found". */
  readonly vendorCode?: string;
}

/** What every call of a connector throws. The message is for people and carries no secret. */
export class ConnectorError extends Error {
  override readonly name = "ConnectorError";
  readonly kind: ConnectorErrorKind;
  /** Milliseconds the vendor asks us to wait. */
  readonly retryAfterMs: number | undefined;
  readonly vendorCode: string | undefined;

  constructor(kind: ConnectorErrorKind, message: string, options: ConnectorErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
    this.vendorCode = options.vendorCode;
  }
}
