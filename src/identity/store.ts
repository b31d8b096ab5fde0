import type { DatabaseTransaction } from "#database";

/** A person in an organization that is there. */
export interface Member {
  readonly organizationId: string;
  readonly userId: string;
  readonly name: string;
  readonly email: string | undefined;
  readonly role: string;
  /** What the organization's admin mapped to the role. */
  readonly mappedPermissions: readonly string[];
}

/** The live membership of a person of the directory; undefined where the person, the organization or the membership is gone or unheard of. */
export async function findDirectoryMember(
  tx: DatabaseTransaction,
  clerkOrganizationId: string,
  clerkUserId: string,
): Promise<Member | undefined> {
  const row = await members(tx)
    .where("organizations.clerk_org_id", "=", clerkOrganizationId)
    .where("users.clerk_user_id", "=", clerkUserId)
    .executeTakeFirst();
  return row && toMember(row);
}

export async function findMember(
  tx: DatabaseTransaction,
  organizationId: string,
  userId: string,
): Promise<Member | undefined> {
  const row = await members(tx)
    .where("memberships.organization_id", "=", organizationId)
    .where("memberships.user_id", "=", userId)
    .executeTakeFirst();
  return row && toMember(row);
}

/** The members whose verified address it is. */
export async function listMembersByEmail(
  tx: DatabaseTransaction,
  organizationId: string,
  email: string,
): Promise<readonly Member[]> {
  const rows = await members(tx)
    .where("memberships.organization_id", "=", organizationId)
    .where("users.is_email_verified", "=", true)
    .where((where) => where(where.fn<string>("lower", ["users.email"]), "=", email.toLowerCase()))
    .limit(2)
    .execute();
  return rows.map(toMember);
}

/** In the order of user ids. */
export async function listMembers(
  tx: DatabaseTransaction,
  organizationId: string,
  page: { readonly afterUserId: string | undefined; readonly membersMax: number },
): Promise<readonly Member[]> {
  let query = members(tx)
    .where("memberships.organization_id", "=", organizationId)
    .clearOrderBy()
    .distinctOn("memberships.user_id")
    .orderBy("memberships.user_id")
    .orderBy("memberships.directory_version", "desc")
    .limit(page.membersMax);
  if (page.afterUserId) query = query.where("memberships.user_id", ">", page.afterUserId);
  return (await query.execute()).map(toMember);
}

/** Whether the organization is there: neither deleted nor unknown. */
export async function isOrganizationLive(
  tx: DatabaseTransaction,
  organizationId: string,
): Promise<boolean> {
  const row = await tx
    .selectFrom("organizations")
    .select("id")
    .where("id", "=", organizationId)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return row !== undefined;
}

export async function findOrganizationId(
  tx: DatabaseTransaction,
  clerkOrganizationId: string,
): Promise<string | undefined> {
  const row = await tx
    .selectFrom("organizations")
    .select("id")
    .where("clerk_org_id", "=", clerkOrganizationId)
    .executeTakeFirst();
  return row?.id;
}

/** Live memberships; the newest first, where news of an ended one are still on their way. */
function members(tx: DatabaseTransaction) {
  return tx
    .selectFrom("memberships")
    .innerJoin("organizations", "organizations.id", "memberships.organization_id")
    .innerJoin("users", "users.id", "memberships.user_id")
    .leftJoin("role_mappings", (join) =>
      join
        .onRef("role_mappings.organization_id", "=", "memberships.organization_id")
        .onRef("role_mappings.role", "=", "memberships.role"),
    )
    .select([
      "memberships.organization_id",
      "memberships.user_id",
      "memberships.role",
      "users.name",
      "users.email",
      "role_mappings.permissions",
    ])
    .where("memberships.deleted_at", "is", null)
    .where("organizations.deleted_at", "is", null)
    .where("users.deleted_at", "is", null)
    .orderBy("memberships.directory_version", "desc");
}

function toMember(row: {
  readonly organization_id: string;
  readonly user_id: string;
  readonly role: string;
  readonly name: string;
  readonly email: string | null;
  readonly permissions: string[] | null;
}): Member {
  return {
    organizationId: row.organization_id,
    userId: row.user_id,
    name: row.name,
    email: row.email ?? undefined,
    role: row.role,
    mappedPermissions: row.permissions ?? [],
  };
}
