/** GitHub's API knows seconds only. */
export function timestamp(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z");
}

/** The same instant as webhooks about installations write it. */
export function webhookTimestamp(atMs: number): string {
  return timestamp(atMs).replace("Z", ".000+00:00");
}
