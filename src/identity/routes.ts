import { z } from "zod";
import { route, type Route } from "#platform";
import { chatRoutes } from "./chat/routes.ts";
import type { IdentityDeps } from "./deps.ts";
import { organizationRoutes } from "./organizations/routes.ts";
import { roleRoutes } from "./organizations/role-routes.ts";
import { tokenRoutes } from "./tokens/routes.ts";

export function identityRoutes(deps: IdentityDeps): readonly Route[] {
  return [
    meRoute(),
    ...organizationRoutes(deps),
    ...roleRoutes(deps),
    ...tokenRoutes(deps),
    ...chatRoutes(deps),
  ];
}

function meRoute(): Route {
  return route({
    method: "GET",
    path: "/api/v1/me",
    summary: "Who the caller is and what they may do",
    tags: ["members"],
    access: "principal",
    answer: z.strictObject({
      kind: z.enum(["user", "service", "local"]),
      id: z.string(),
      organization_id: z.string(),
      user_id: z.string().nullable(),
      name: z.string(),
      is_read_only: z.boolean(),
      permissions: z.array(z.string()),
    }),
    handle: async ({ principal }) => ({
      kind: principal.kind,
      id: principal.id,
      organization_id: principal.organizationId,
      user_id: principal.userId ?? null,
      name: principal.name ?? "",
      is_read_only: principal.isReadOnly ?? false,
      permissions: [...principal.permissions],
    }),
  });
}
