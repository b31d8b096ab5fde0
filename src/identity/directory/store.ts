import type { DatabaseTransaction } from "#database";
import type { OrganizationNews, UserNews } from "../clerk/read-event.ts";

/** Remembers a delivery of the directory; false when it is known already. */
export async function insertDelivery(
  tx: DatabaseTransaction,
  delivery: { readonly id: string; readonly type: string; readonly at: Date },
): Promise<boolean> {
  const row = await tx
    .insertInto("directory_deliveries")
    .values({
      id: delivery.id,
      event_type: delivery.type,
      outcome: "ignored",
      received_at: delivery.at,
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function markDelivery(
  tx: DatabaseTransaction,
  id: string,
  outcome: "applied" | "outdated" | "ignored",
): Promise<void> {
  await tx.updateTable("directory_deliveries").set({ outcome }).where("id", "=", id).execute();
}

/** Forgets a bounded number of deliveries older than `before`. */
export async function deleteOldDeliveries(tx: DatabaseTransaction, before: Date): Promise<void> {
  await tx
    .deleteFrom("directory_deliveries")
    .where("id", "in", (from) =>
      from
        .selectFrom("directory_deliveries")
        .select("id")
        .where("received_at", "<", before)
        .orderBy("received_at")
        .limit(100),
    )
    .execute();
}

interface Arrival {
  /** For the row, where this is the first that is heard of the thing. */
  readonly id: string;
  readonly at: Date;
}

/** Takes news of a user unless newer news is known or the user is deleted. Returns whether it was taken. */
export async function upsertUser(
  tx: DatabaseTransaction,
  clerkUserId: string,
  news: UserNews,
  { id, at }: Arrival,
): Promise<boolean> {
  const facts = {
    email: news.email,
    is_email_verified: news.isEmailVerified,
    name: news.name,
    directory_version: news.version,
    created_at: news.createdAt,
    updated_at: at,
  };
  const row = await tx
    .insertInto("users")
    .values({ id, clerk_user_id: clerkUserId, ...facts })
    .onConflict((conflict) =>
      conflict
        .column("clerk_user_id")
        .doUpdateSet(facts)
        .where("users.deleted_at", "is", null)
        .where((where) =>
          where.or([
            where("users.directory_version", "is", null),
            where("users.directory_version", "<", news.version),
          ]),
        ),
    )
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Forgets who a user was and remembers that they are gone. Returns the row's id the first time. */
export async function deleteUser(
  tx: DatabaseTransaction,
  clerkUserId: string,
  { id, at, deletedAt }: Arrival & { readonly deletedAt: Date },
): Promise<string | undefined> {
  const facts = {
    email: null,
    is_email_verified: false,
    name: "",
    directory_version: null,
    deleted_at: deletedAt,
    created_at: deletedAt,
    updated_at: at,
  };
  const row = await tx
    .insertInto("users")
    .values({ id, clerk_user_id: clerkUserId, ...facts })
    .onConflict((conflict) =>
      conflict.column("clerk_user_id").doUpdateSet(facts).where("users.deleted_at", "is", null),
    )
    .returning("id")
    .executeTakeFirst();
  return row?.id;
}

/** Takes news of an organization unless newer news is known. A deleted one stays deleted. */
export async function upsertOrganization(
  tx: DatabaseTransaction,
  clerkOrganizationId: string,
  news: OrganizationNews,
  { id, at }: Arrival,
): Promise<boolean> {
  const facts = {
    name: news.name,
    slug: news.slug,
    directory_version: news.version,
    created_at: news.createdAt,
    updated_at: at,
  };
  const row = await tx
    .insertInto("organizations")
    .values({ id, clerk_org_id: clerkOrganizationId, ...facts })
    .onConflict((conflict) =>
      conflict
        .column("clerk_org_id")
        .doUpdateSet(facts)
        .where((where) =>
          where.or([
            where("organizations.directory_version", "is", null),
            where("organizations.directory_version", "<", news.version),
          ]),
        ),
    )
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Returns the row's id the first time. */
export async function deleteOrganization(
  tx: DatabaseTransaction,
  clerkOrganizationId: string,
  { id, at, deletedAt }: Arrival & { readonly deletedAt: Date },
): Promise<string | undefined> {
  const row = await tx
    .insertInto("organizations")
    .values({
      id,
      clerk_org_id: clerkOrganizationId,
      name: "",
      slug: "",
      deleted_at: deletedAt,
      updated_at: at,
    })
    .onConflict((conflict) =>
      conflict
        .column("clerk_org_id")
        .doUpdateSet({ deleted_at: deletedAt, updated_at: at })
        .where("organizations.deleted_at", "is", null),
    )
    .returning("id")
    .executeTakeFirst();
  return row?.id;
}

/** The id of an organization of the directory; a row that only knows its id where nothing was heard of it yet. */
export async function organizationIdFor(
  tx: DatabaseTransaction,
  clerkOrganizationId: string,
  { id, at }: Arrival,
): Promise<string> {
  await tx
    .insertInto("organizations")
    .values({ id, clerk_org_id: clerkOrganizationId, name: "", slug: "", updated_at: at })
    .onConflict((conflict) => conflict.column("clerk_org_id").doNothing())
    .execute();
  const row = await tx
    .selectFrom("organizations")
    .select("id")
    .where("clerk_org_id", "=", clerkOrganizationId)
    .executeTakeFirstOrThrow();
  return row.id;
}

export async function userIdFor(
  tx: DatabaseTransaction,
  clerkUserId: string,
  { id, at }: Arrival,
): Promise<string> {
  await tx
    .insertInto("users")
    .values({ id, clerk_user_id: clerkUserId, updated_at: at })
    .onConflict((conflict) => conflict.column("clerk_user_id").doNothing())
    .execute();
  const row = await tx
    .selectFrom("users")
    .select("id")
    .where("clerk_user_id", "=", clerkUserId)
    .executeTakeFirstOrThrow();
  return row.id;
}

interface MembershipNews extends Arrival {
  readonly clerkMembershipId: string;
  readonly organizationId: string;
  readonly userId: string;
  readonly role: string;
  readonly version: string;
  readonly createdAt: Date;
}

/** Takes news of a membership unless newer news is known. */
export async function upsertMembership(
  tx: DatabaseTransaction,
  news: MembershipNews,
): Promise<"added" | "changed" | "outdated"> {
  const facts = {
    role: news.role,
    directory_version: news.version,
    created_at: news.createdAt,
    updated_at: news.at,
  };
  const row = await tx
    .insertInto("memberships")
    .values({
      id: news.id,
      organization_id: news.organizationId,
      user_id: news.userId,
      clerk_membership_id: news.clerkMembershipId,
      ...facts,
    })
    .onConflict((conflict) =>
      conflict
        .column("clerk_membership_id")
        .doUpdateSet(facts)
        .where("memberships.directory_version", "<", news.version),
    )
    .returning("id")
    .executeTakeFirst();
  if (!row) return "outdated";
  return row.id === news.id ? "added" : "changed";
}

/** Returns whether it was there until now. */
export async function deleteMembership(
  tx: DatabaseTransaction,
  organizationId: string,
  clerkMembershipId: string,
  deletedAt: Date,
): Promise<boolean> {
  const row = await tx
    .updateTable("memberships")
    .set({ deleted_at: deletedAt })
    .where("organization_id", "=", organizationId)
    .where("clerk_membership_id", "=", clerkMembershipId)
    .where("deleted_at", "is", null)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function listOrganizationIdsOfUser(
  tx: DatabaseTransaction,
  userId: string,
): Promise<readonly string[]> {
  const rows = await tx
    .selectFrom("memberships")
    .select("organization_id")
    .distinct()
    .where("user_id", "=", userId)
    .where("deleted_at", "is", null)
    .orderBy("organization_id")
    .limit(1_000)
    .execute();
  return rows.map((row) => row.organization_id);
}
