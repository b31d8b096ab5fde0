import type { Route } from "./call.ts";
import { ACTION_ROUTES } from "./routes/action-routes.ts";
import { APP_ROUTES } from "./routes/app-routes.ts";
import { COMMIT_ROUTES } from "./routes/commit-routes.ts";
import { CONTENT_ROUTES } from "./routes/content-routes.ts";
import { DEPLOYMENT_ROUTES } from "./routes/deployment-routes.ts";
import { HOOK_ROUTES } from "./routes/hook-routes.ts";
import { INSTALLATION_ROUTES } from "./routes/installation-routes.ts";
import { ISSUE_ROUTES } from "./routes/issue-routes.ts";
import { LOG_ROUTES } from "./routes/log-routes.ts";
import { OAUTH_ROUTES } from "./routes/oauth-routes.ts";
import { PULL_ROUTES } from "./routes/pull-routes.ts";
import { SEARCH_ROUTES } from "./routes/search-routes.ts";
import { USER_ROUTES } from "./routes/user-routes.ts";

const ROUTES: readonly Route[] = [
  ...ACTION_ROUTES,
  ...APP_ROUTES,
  ...COMMIT_ROUTES,
  ...CONTENT_ROUTES,
  ...DEPLOYMENT_ROUTES,
  ...HOOK_ROUTES,
  ...INSTALLATION_ROUTES,
  ...ISSUE_ROUTES,
  ...LOG_ROUTES,
  ...OAUTH_ROUTES,
  ...PULL_ROUTES,
  ...SEARCH_ROUTES,
  ...USER_ROUTES,
];

const API_PREFIX = "/api/v3";
/** Parameters that may hold slashes. */
const LONG_PARAMETERS = ["path", "ref", "basehead"];

interface Matched {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

const PATTERNS = ROUTES.map((route) => ({ route, pattern: patternOf(route) }));

export function findRoute(method: string, pathname: string): Matched | undefined {
  for (const { route, pattern } of PATTERNS) {
    const match = pattern.exec(`${method} ${pathname}`);
    if (match) return { route, parameters: decode(match.groups ?? {}) };
  }
  return undefined;
}

/** Tells whether a route has this name; "*" names all. Throws for a name that no route has. */
export function routeNamed(name: string): (route: string) => boolean {
  if (name === "*") return () => true;
  const wanted = withoutNames(name);
  if (!ROUTES.some((route) => withoutNames(route.name) === wanted)) {
    const names = ROUTES.map((route) => route.name).join("\n  ");
    throw new Error(`the fake GitHub has no route ${name}; it has\n  ${names}`);
  }
  return (route) => withoutNames(route) === wanted;
}

function withoutNames(name: string): string {
  return name.replaceAll(/\{\w+\}/g, "{}");
}

function patternOf({ name, base }: Route): RegExp {
  const [method = "", path = ""] = name.split(" ");
  const pattern = path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => {
    return `(?<${parameter}>${LONG_PARAMETERS.includes(parameter) ? ".+" : "[^/]+"})`;
  });
  return new RegExp(`^${method} ${base === "api" ? API_PREFIX : ""}${pattern}/?$`);
}

function decode(groups: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]),
  );
}
