import { isUuid, type Principal } from "#platform";
import { withTenant, type DatabaseTransaction } from "#database";
import { assertCan, noSuchThing } from "../can.ts";
import type { IdentityDeps } from "../deps.ts";
import {
  deleteChatUser,
  findChatUser,
  findChatUserById,
  listChatUsers as listStored,
  type ChatUser,
} from "./store.ts";

const LISTED_MAX = 500;

/** The linked chat accounts: all for who may manage members, one's own for everybody else. */
export async function listChatUsers(
  deps: IdentityDeps,
  principal: Principal,
): Promise<readonly ChatUser[]> {
  assertCan(principal, "member:read");
  const { organizationId, userId } = principal;
  const isManager = principal.permissions.has("member:manage");
  if (!isManager && userId === undefined) return [];
  return withTenant(deps.db, organizationId, (tx) =>
    listStored(tx, organizationId, {
      userId: isManager ? undefined : userId,
      usersMax: LISTED_MAX,
    }),
  );
}

/** Ends a link: one's own, or with member:manage anybody's. */
export async function unlinkChatUser(
  deps: IdentityDeps,
  principal: Principal,
  id: string,
): Promise<void> {
  if (!isUuid(id)) throw noSuchThing();
  const { organizationId } = principal;
  await withTenant(deps.db, organizationId, async (tx) => {
    const linked = await findChatUserById(tx, organizationId, id);
    if (!linked) throw noSuchThing();
    const isOwn = linked.userId === principal.userId && principal.isReadOnly !== true;
    if (!isOwn) assertCan(principal, "member:manage", linked);
    await remove(deps, tx, linked, { kind: principal.kind, id: principal.id });
  });
}

/** Ends the link of a chat account, asked for from that very account. Returns whether there was one. */
export async function unlinkOwnChatUser(
  deps: IdentityDeps,
  input: {
    readonly organizationId: string;
    readonly integrationId: string;
    readonly chatUserId: string;
  },
): Promise<boolean> {
  const { organizationId, integrationId, chatUserId } = input;
  return withTenant(deps.db, organizationId, async (tx) => {
    const linked = await findChatUser(tx, organizationId, integrationId, chatUserId);
    if (!linked) return false;
    await remove(deps, tx, linked, { kind: "chat_user", id: chatUserId });
    return true;
  });
}

async function remove(
  deps: IdentityDeps,
  tx: DatabaseTransaction,
  linked: ChatUser,
  actor: { readonly kind: Principal["kind"] | "chat_user"; readonly id: string },
): Promise<void> {
  const isRemoved = await deleteChatUser(tx, linked.organizationId, linked.id);
  if (!isRemoved) return;
  await deps.audit.append(tx, {
    organizationId: linked.organizationId,
    actor,
    action: "chat_user.unlinked",
    target: { kind: "chat_user", id: linked.chatUserId },
    outcome: "ok",
    details: { integration_id: linked.integrationId, user_id: linked.userId },
  });
}
