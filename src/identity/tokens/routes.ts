import { z } from "zod";
import { route, type Route } from "#platform";
import type { IdentityDeps } from "../deps.ts";
import { TOKEN_SCOPES } from "../model.ts";
import { createToken } from "./create-token.ts";
import { listTokens } from "./list-tokens.ts";
import { revokeToken } from "./revoke-token.ts";

const tags = ["tokens"];
const access = { permission: "token:manage" } as const;
const date = z.iso.datetime();

export function tokenRoutes(deps: IdentityDeps): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/api/v1/tokens",
      summary: "Makes a service token and shows it, this once",
      tags,
      access,
      status: 201,
      body: z.strictObject({
        name: z.string().trim().min(1).max(100),
        scopes: z.array(z.enum(TOKEN_SCOPES)).min(1).max(TOKEN_SCOPES.length),
        expires_at: date.optional(),
      }),
      answer: z.strictObject({ id: z.string(), token: z.string(), expires_at: date }),
      async handle({ body, principal }) {
        const { name, scopes, expires_at } = body;
        const expiresAt = expires_at === undefined ? undefined : new Date(expires_at);
        const made = await createToken(deps, principal, { name, scopes, expiresAt });
        return {
          id: made.id,
          token: made.token.reveal(),
          expires_at: made.expiresAt.toISOString(),
        };
      },
    }),
    route({
      method: "GET",
      path: "/api/v1/tokens",
      summary: "The organization's service tokens, without the tokens themselves",
      tags,
      access,
      answer: z.strictObject({
        tokens: z.array(
          z.strictObject({
            id: z.string(),
            name: z.string(),
            scopes: z.array(z.string()),
            created_by: z.string().nullable(),
            created_at: date,
            expires_at: date.nullable(),
            revoked_at: date.nullable(),
            last_used_at: date.nullable(),
          }),
        ),
      }),
      async handle({ principal }) {
        const tokens = await listTokens(deps, principal);
        return {
          tokens: tokens.map((token) => ({
            id: token.id,
            name: token.name,
            scopes: [...token.scopes],
            created_by: token.createdBy ?? null,
            created_at: token.createdAt.toISOString(),
            expires_at: token.expiresAt?.toISOString() ?? null,
            revoked_at: token.revokedAt?.toISOString() ?? null,
            last_used_at: token.lastUsedAt?.toISOString() ?? null,
          })),
        };
      },
    }),
    route({
      method: "DELETE",
      path: "/api/v1/tokens/:id",
      summary: "Ends a service token at once",
      tags,
      access,
      params: z.strictObject({ id: z.string().max(100) }),
      answer: z.strictObject({}),
      async handle({ params, principal }) {
        await revokeToken(deps, principal, params.id);
        return {};
      },
    }),
  ];
}
