import type { Permissions } from "./model.ts";

/** A permission and its level, such as "contents:read". */
export type Need = `${string}:${"read" | "write"}`;

const LEVELS = ["read", "write", "admin"];

export function grants(permissions: Permissions, need: Need): boolean {
  const [name = "", level = ""] = need.split(":");
  return levelOf(permissions[name]) >= levelOf(level);
}

/** Whether everything that is asked for is granted at that level or a higher one. */
export function covers(granted: Permissions, asked: Permissions): boolean {
  return Object.entries(asked).every(([name, level]) => {
    return LEVELS.includes(level) && levelOf(granted[name]) >= levelOf(level);
  });
}

function levelOf(level: string | undefined): number {
  return level === undefined ? -1 : LEVELS.indexOf(level);
}
