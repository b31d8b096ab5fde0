import { z } from "zod";
import { route, type Route } from "#platform";
import type { IdentityDeps } from "../deps.ts";
import { MAPPABLE_PERMISSIONS } from "../model.ts";
import { getRoleMappings, setRoleMappings } from "./map-roles.ts";
import type { RoleMapping } from "./store.ts";

const Answer = z.strictObject({
  mappings: z.array(z.strictObject({ role: z.string(), permissions: z.array(z.string()) })),
});
const path = "/api/v1/role-mappings";
const tags = ["members"];

export function roleRoutes(deps: IdentityDeps): readonly Route[] {
  return [
    route({
      method: "GET",
      path,
      summary: "What custom roles of the directory may do here",
      tags,
      access: { permission: "member:manage" },
      answer: Answer,
      handle: async ({ principal }) => toAnswer(await getRoleMappings(deps, principal)),
    }),
    route({
      method: "PUT",
      path,
      summary: "Maps custom roles to permissions; roles that are not given may do nothing",
      tags,
      access: { permission: "member:manage" },
      body: z.strictObject({
        mappings: z
          .array(
            z.strictObject({
              role: z
                .string()
                .max(100)
                .regex(/^org:[\w-]+$/, "is not a role such as org:billing"),
              permissions: z.array(z.enum(MAPPABLE_PERMISSIONS)).max(MAPPABLE_PERMISSIONS.length),
            }),
          )
          .max(100),
      }),
      answer: Answer,
      handle: async ({ body, principal }) =>
        toAnswer(await setRoleMappings(deps, principal, body.mappings)),
    }),
  ];
}

function toAnswer(mappings: readonly RoleMapping[]): z.infer<typeof Answer> {
  return {
    mappings: mappings.map(({ role, permissions }) => ({ role, permissions: [...permissions] })),
  };
}
