import type { DatabaseTransaction } from "#database";

/** A chat account, as its integration names it. */
interface ChatAccount {
  readonly integrationId: string;
  readonly chatUserId: string;
  readonly chatUserName: string;
}

export interface ChatUser extends ChatAccount {
  readonly id: string;
  readonly organizationId: string;
  readonly userId: string;
  readonly method: "link" | "email";
  readonly createdAt: Date;
}

export interface ChatLink extends ChatAccount {
  readonly id: string;
  readonly organizationId: string;
  readonly workspaceName: string;
}

const USER_COLUMNS = [
  "id",
  "organization_id",
  "integration_id",
  "chat_user_id",
  "chat_user_name",
  "user_id",
  "method",
  "created_at",
] as const;
const LINK_COLUMNS = [
  "id",
  "organization_id",
  "integration_id",
  "chat_user_id",
  "chat_user_name",
  "workspace_name",
] as const;

export async function insertChatLink(
  tx: DatabaseTransaction,
  organizationId: string,
  link: ChatLink & { readonly hash: Buffer; readonly at: Date; readonly expiresAt: Date },
): Promise<void> {
  await tx
    .insertInto("chat_links")
    .values({
      id: link.id,
      organization_id: organizationId,
      integration_id: link.integrationId,
      chat_user_id: link.chatUserId,
      chat_user_name: link.chatUserName,
      workspace_name: link.workspaceName,
      token_hash: link.hash,
      created_at: link.at,
      expires_at: link.expiresAt,
    })
    .execute();
}

/** A link that may still be used. */
export async function findOpenChatLink(
  tx: DatabaseTransaction,
  organizationId: string,
  hash: Buffer,
  at: Date,
): Promise<ChatLink | undefined> {
  const row = await tx
    .selectFrom("chat_links")
    .select(LINK_COLUMNS)
    .where("organization_id", "=", organizationId)
    .where("token_hash", "=", hash)
    .where("used_at", "is", null)
    .where("expires_at", ">", at)
    .executeTakeFirst();
  return row && toLink(row);
}

/** Uses a link up. Of two that try at once, one gets it. */
export async function useChatLink(
  tx: DatabaseTransaction,
  organizationId: string,
  hash: Buffer,
  at: Date,
): Promise<ChatLink | undefined> {
  const row = await tx
    .updateTable("chat_links")
    .set({ used_at: at })
    .where("organization_id", "=", organizationId)
    .where("token_hash", "=", hash)
    .where("used_at", "is", null)
    .where("expires_at", ">", at)
    .returning(LINK_COLUMNS)
    .executeTakeFirst();
  return row && toLink(row);
}

/** Links that can never be used again. */
export async function deleteExpiredChatLinks(
  tx: DatabaseTransaction,
  organizationId: string,
  before: Date,
): Promise<void> {
  await tx
    .deleteFrom("chat_links")
    .where("organization_id", "=", organizationId)
    .where("expires_at", "<", before)
    .execute();
}

/** Puts a chat account to a member; an earlier link of the account is replaced. */
export async function upsertChatUser(
  tx: DatabaseTransaction,
  organizationId: string,
  user: ChatUser,
): Promise<void> {
  await tx
    .insertInto("chat_users")
    .values({
      id: user.id,
      organization_id: organizationId,
      integration_id: user.integrationId,
      chat_user_id: user.chatUserId,
      chat_user_name: user.chatUserName,
      user_id: user.userId,
      method: user.method,
      created_at: user.createdAt,
    })
    .onConflict((conflict) =>
      conflict.columns(["organization_id", "integration_id", "chat_user_id"]).doUpdateSet({
        chat_user_name: user.chatUserName,
        user_id: user.userId,
        method: user.method,
        created_at: user.createdAt,
      }),
    )
    .execute();
}

export async function findChatUser(
  tx: DatabaseTransaction,
  organizationId: string,
  integrationId: string,
  chatUserId: string,
): Promise<ChatUser | undefined> {
  const row = await tx
    .selectFrom("chat_users")
    .select(USER_COLUMNS)
    .where("organization_id", "=", organizationId)
    .where("integration_id", "=", integrationId)
    .where("chat_user_id", "=", chatUserId)
    .executeTakeFirst();
  return row && toUser(row);
}

export async function findChatUserById(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
): Promise<ChatUser | undefined> {
  const row = await tx
    .selectFrom("chat_users")
    .select(USER_COLUMNS)
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toUser(row);
}

/** The newest first; of one member where `userId` is given. */
export async function listChatUsers(
  tx: DatabaseTransaction,
  organizationId: string,
  filter: { readonly userId?: string | undefined; readonly usersMax: number },
): Promise<readonly ChatUser[]> {
  let query = tx
    .selectFrom("chat_users")
    .select(USER_COLUMNS)
    .where("organization_id", "=", organizationId)
    .orderBy("created_at", "desc")
    .orderBy("id")
    .limit(filter.usersMax);
  if (filter.userId) query = query.where("user_id", "=", filter.userId);
  return (await query.execute()).map(toUser);
}

export async function deleteChatUser(
  tx: DatabaseTransaction,
  organizationId: string,
  id: string,
): Promise<boolean> {
  const row = await tx
    .deleteFrom("chat_users")
    .where("organization_id", "=", organizationId)
    .where("id", "=", id)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

function toUser(row: {
  readonly id: string;
  readonly organization_id: string;
  readonly integration_id: string;
  readonly chat_user_id: string;
  readonly chat_user_name: string;
  readonly user_id: string;
  readonly method: "link" | "email";
  readonly created_at: Date;
}): ChatUser {
  return {
    id: row.id,
    organizationId: row.organization_id,
    integrationId: row.integration_id,
    chatUserId: row.chat_user_id,
    chatUserName: row.chat_user_name,
    userId: row.user_id,
    method: row.method,
    createdAt: row.created_at,
  };
}

function toLink(row: {
  readonly id: string;
  readonly organization_id: string;
  readonly integration_id: string;
  readonly chat_user_id: string;
  readonly chat_user_name: string;
  readonly workspace_name: string;
}): ChatLink {
  return {
    id: row.id,
    organizationId: row.organization_id,
    integrationId: row.integration_id,
    chatUserId: row.chat_user_id,
    chatUserName: row.chat_user_name,
    workspaceName: row.workspace_name,
  };
}
