/**
 * A short id that a person can read out and we can find in the log: 12 hex digits of the random
 * half of a UUIDv7. The time half would be nearly the same for all ids of one minute.
 */
export function traceIdOf(uuid: string): string {
  return uuid.replaceAll("-", "").slice(-12).toLowerCase();
}
