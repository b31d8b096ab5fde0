import { withTenant } from "#database";
import type { Principal } from "#platform";
import type { IdentityDeps } from "../deps.ts";
import { hashOf, isToken } from "../hash-token.ts";
import { findOpenChatLink, upsertChatUser, useChatLink, type ChatLink } from "./store.ts";

/** The link of a token, if it is of the principal's organization and still open. */
export async function readChatLink(
  deps: IdentityDeps,
  { organizationId }: Principal,
  token: string,
): Promise<ChatLink | undefined> {
  if (!isToken(token)) return undefined;
  return withTenant(deps.db, organizationId, (tx) =>
    findOpenChatLink(tx, organizationId, hashOf(token), deps.clock.now()),
  );
}

/** Ties the chat account to the signed-in person. Undefined when the link is used up, too old or another organization's. */
export async function confirmChatLink(
  deps: IdentityDeps,
  principal: Principal & { readonly userId: string },
  token: string,
): Promise<ChatLink | undefined> {
  if (!isToken(token)) return undefined;
  const { organizationId, userId } = principal;
  const at = deps.clock.now();
  return withTenant(deps.db, organizationId, async (tx) => {
    const link = await useChatLink(tx, organizationId, hashOf(token), at);
    if (!link) return undefined;
    await upsertChatUser(tx, organizationId, {
      ...link,
      id: deps.ids(),
      userId,
      method: "link",
      createdAt: at,
    });
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: principal.kind, id: principal.id },
      action: "chat_user.linked",
      target: { kind: "chat_user", id: link.chatUserId },
      outcome: "ok",
      details: { integration_id: link.integrationId, user_id: userId, method: "link" },
    });
    return link;
  });
}
