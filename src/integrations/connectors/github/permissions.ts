/** What the app has to be granted for everything that only reads. */
const READS = {
  actions: "read",
  contents: "read",
  deployments: "read",
  issues: "read",
  metadata: "read",
  pull_requests: "read",
} as const;

/** What a new app asks for: reading, the writes that people approve, and who owns an organization. */
export const ASKED = {
  ...READS,
  actions: "write",
  issues: "write",
  pull_requests: "write",
  members: "read",
} as const;

/** What a new app hears of; installations are told to every app. */
export const EVENTS = [
  "deployment",
  "deployment_status",
  "issues",
  "pull_request",
  "push",
  "release",
  "repository",
  "workflow_run",
] as const;

const LEVELS = ["read", "write", "admin"];

/** "actions:read", for each that is not granted or not far enough. */
export function listMissing(
  granted: Readonly<Record<string, unknown>>,
  needed: Readonly<Record<string, string>> = READS,
): readonly string[] {
  return Object.entries(needed)
    .filter(([name, level]) => LEVELS.indexOf(String(granted[name])) < LEVELS.indexOf(level))
    .map(([name, level]) => `${name}:${level}`);
}
