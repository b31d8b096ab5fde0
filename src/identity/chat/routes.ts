import { z } from "zod";
import { AppError, route, type Principal, type Route } from "#platform";
import { withTenant } from "#database";
import { noSuchThing } from "../can.ts";
import type { IdentityDeps } from "../deps.ts";
import { allowEmailMatch } from "../organizations/allow-email-match.ts";
import { confirmChatLink, readChatLink } from "./confirm-chat-link.ts";
import { findOrganization } from "../organizations/store.ts";
import { listChatUsers, unlinkChatUser } from "./unlink-chat-user.ts";
import type { ChatLink } from "./store.ts";

const tags = ["chat users"];
const Token = z.strictObject({ token: z.string().max(100) });
const LinkAnswer = z.strictObject({
  integration_id: z.string(),
  workspace_name: z.string(),
  chat_user_id: z.string(),
  chat_user_name: z.string(),
});

export function chatRoutes(deps: IdentityDeps): readonly Route[] {
  return [listRoute(deps), unlinkRoute(deps), settingsRoute(deps), ...linkRoutes(deps)];
}

function listRoute(deps: IdentityDeps): Route {
  return route({
    method: "GET",
    path: "/api/v1/chat-users",
    summary: "The chat accounts that act as members: one's own, or all for who manages members",
    tags,
    access: { permission: "member:read" },
    answer: z.strictObject({
      allows_email_match: z.boolean(),
      chat_users: z.array(
        z.strictObject({
          id: z.string(),
          integration_id: z.string(),
          chat_user_id: z.string(),
          chat_user_name: z.string(),
          user_id: z.string(),
          method: z.enum(["link", "email"]),
          created_at: z.iso.datetime(),
        }),
      ),
    }),
    async handle({ principal }) {
      const { organizationId } = principal;
      const organization = await withTenant(deps.db, organizationId, (tx) =>
        findOrganization(tx, organizationId),
      );
      const users = await listChatUsers(deps, principal);
      return {
        allows_email_match: organization?.allowsEmailMatch ?? false,
        chat_users: users.map((user) => ({
          id: user.id,
          integration_id: user.integrationId,
          chat_user_id: user.chatUserId,
          chat_user_name: user.chatUserName,
          user_id: user.userId,
          method: user.method,
          created_at: user.createdAt.toISOString(),
        })),
      };
    },
  });
}

function unlinkRoute(deps: IdentityDeps): Route {
  return route({
    method: "DELETE",
    path: "/api/v1/chat-users/:id",
    summary: "Ends the link of a chat account: one's own, or anybody's for who manages members",
    tags,
    access: { permission: "member:read" },
    params: z.strictObject({ id: z.string().max(100) }),
    answer: z.strictObject({}),
    async handle({ params, principal }) {
      await unlinkChatUser(deps, principal, params.id);
      return {};
    },
  });
}

function settingsRoute(deps: IdentityDeps): Route {
  return route({
    method: "PUT",
    path: "/api/v1/chat-users/settings",
    summary: "Says whether chat accounts are matched to members by verified e-mail",
    tags,
    access: { permission: "member:manage" },
    body: z.strictObject({ allows_email_match: z.boolean() }),
    answer: z.strictObject({}),
    async handle({ body, principal }) {
      await allowEmailMatch(deps, principal, body.allows_email_match);
      return {};
    },
  });
}

/** What the page at /link does, for a console with a session of its own. */
function linkRoutes(deps: IdentityDeps): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/api/v1/chat-links/get",
      summary: "Whom a one-time link would tie to the caller",
      tags,
      access: { permission: "member:read" },
      body: Token,
      answer: LinkAnswer,
      async handle({ body, principal }) {
        const link = await readChatLink(deps, principal, body.token);
        if (!link) throw noSuchThing();
        return toAnswer(link);
      },
    }),
    route({
      method: "POST",
      path: "/api/v1/chat-links/confirm",
      summary: "Ties the chat account of a one-time link to the caller",
      tags,
      access: { permission: "member:read" },
      body: Token,
      answer: LinkAnswer,
      async handle({ body, principal }) {
        const link = await confirmChatLink(deps, asPerson(principal), body.token);
        if (!link) throw noSuchThing();
        return toAnswer(link);
      },
    }),
  ];
}

/** Only people themselves are linked: no program, and nobody who looks through their eyes. */
export function asPerson(principal: Principal): Principal & { readonly userId: string } {
  const { userId, isReadOnly } = principal;
  if (userId !== undefined && isReadOnly !== true) return { ...principal, userId };
  throw new AppError("forbidden", "Only a signed-in person can link a chat account to themselves.");
}

function toAnswer(link: ChatLink): z.infer<typeof LinkAnswer> {
  return {
    integration_id: link.integrationId,
    workspace_name: link.workspaceName,
    chat_user_id: link.chatUserId,
    chat_user_name: link.chatUserName,
  };
}
