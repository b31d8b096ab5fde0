import { readFileSync } from "node:fs";
import { z } from "zod";
import { AppError, route, type RawRoute, type Route } from "#platform";
import type { StateLine } from "#agents";

const Check = z.strictObject({
  name: z.string(),
  state: z.enum(["ok", "degraded", "down"]),
  detail: z.string().optional(),
});

interface HealthDeps {
  /** One line a dependency; `isNeeded` where the service is not ready without it. */
  readonly readChecks: () => Promise<readonly (StateLine & { readonly isNeeded: boolean })[]>;
  readonly isStopping: () => boolean;
  /** In production anonymous callers see names and states only. */
  readonly isDetailShown: boolean;
}

export function healthRoutes(deps: HealthDeps): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/healthz",
      summary: "200 while the process lives",
      tags: ["health"],
      access: "public",
      answer: z.strictObject({ status: z.literal("ok") }),
      handle: async () => ({ status: "ok" as const }),
    }),
    route({
      method: "GET",
      path: "/readyz",
      summary: "200 when the service can do its work, 503 otherwise; one line a dependency",
      tags: ["health"],
      access: "public",
      answer: z.strictObject({ status: z.literal("ready"), checks: z.array(Check) }),
      async handle() {
        if (deps.isStopping()) throw new AppError("unavailable", "The service is stopping.");
        const lines = await deps.readChecks();
        const checks = lines.map(({ name, state, detail }) => ({
          name,
          state,
          ...(deps.isDetailShown ? { detail } : {}),
        }));
        const missing = lines
          .filter((line) => line.isNeeded && line.state === "down")
          .map((line) => line.name);
        if (missing.length === 0) return { status: "ready" as const, checks };
        throw new AppError("unavailable", `Not ready: ${missing.join(", ")}.`, {
          details: { checks },
        });
      },
    }),
  ];
}

const PAGE_SECURITY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The files of the page. Its scripts import one another by these names. */
const PAGE_FILES = [
  "base.css",
  "connections.css",
  "connections.js",
  "api.js",
  "connect.js",
  "disconnect.js",
  "dom.js",
  "form.js",
  "render.js",
  "words.js",
] as const;

const CONTENT_TYPES = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
} as const;

/** The console: one page on which the admin of local mode connects accounts. */
export function consoleRoutes(identity: "clerk" | "local" | "none"): readonly RawRoute[] {
  // The page has to say how people sign in before anybody has.
  const page = readConsoleFile("index.html").replace(
    'data-identity="local"',
    `data-identity="${identity}"`,
  );
  return [
    fileRoute("/", page, "html"),
    ...PAGE_FILES.map((name) =>
      fileRoute(`/console/${name}`, readConsoleFile(name), name.endsWith(".css") ? "css" : "js"),
    ),
  ];
}

function readConsoleFile(name: string): string {
  return readFileSync(new URL(`../../console/${name}`, import.meta.url), "utf8");
}

function fileRoute(path: string, body: string, type: keyof typeof CONTENT_TYPES): RawRoute {
  return {
    method: "GET",
    path,
    bodyBytesMax: 1,
    handle: async () => ({
      status: 200,
      contentType: CONTENT_TYPES[type],
      headers: { "content-security-policy": PAGE_SECURITY },
      body,
    }),
  };
}
