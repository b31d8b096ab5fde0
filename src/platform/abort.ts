/** Every call that waits takes a signal and passes it on. */
export interface Abortable {
  readonly signal: AbortSignal;
}

/** Aborts with `signal`, or after `timeoutMs`. */
export function deadline(signal: AbortSignal, timeoutMs: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}
