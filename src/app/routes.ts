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

const PAGE_SECURITY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/** The console's placeholder page. */
export function consolePage(): RawRoute {
  const page = readFileSync(new URL("../../console/index.html", import.meta.url), "utf8");
  return {
    method: "GET",
    path: "/",
    bodyBytesMax: 1,
    handle: async () => ({
      status: 200,
      contentType: "text/html; charset=utf-8",
      headers: { "content-security-policy": PAGE_SECURITY },
      body: page,
    }),
  };
}
