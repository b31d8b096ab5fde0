import type { DatabaseTransaction } from "#database";
import type { Organization, OrganizationMetadata } from "./model.ts";

export async function findOrganization(
  tx: DatabaseTransaction,
  organizationId: string,
): Promise<Organization | undefined> {
  const row = await tx
    .selectFrom("organizations")
    .select([
      "id",
      "name",
      "slug",
      "created_at",
      "company_size",
      "team_size",
      "use_cases",
      "observability_stack",
      "metadata_completed_at",
      "first_connection_at",
      "first_answer_at",
      "allows_email_match",
    ])
    .where("id", "=", organizationId)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      name: row.name,
      slug: row.slug,
      createdAt: row.created_at,
      metadata: {
        companySize: row.company_size ?? undefined,
        teamSize: row.team_size ?? undefined,
        useCases: row.use_cases,
        observabilityStack: row.observability_stack,
        completedAt: row.metadata_completed_at ?? undefined,
      },
      firstConnectionAt: row.first_connection_at ?? undefined,
      firstAnswerAt: row.first_answer_at ?? undefined,
      allowsEmailMatch: row.allows_email_match,
    }
  );
}

/** Changes the given fields and leaves the others. `completedAt` is kept where it is set already. */
export async function updateMetadata(
  tx: DatabaseTransaction,
  organizationId: string,
  metadata: Partial<OrganizationMetadata>,
  { at, isComplete }: { readonly at: Date; readonly isComplete: boolean },
): Promise<void> {
  const { companySize, teamSize, useCases, observabilityStack } = metadata;
  await tx
    .updateTable("organizations")
    .set({
      updated_at: at,
      ...(companySize === undefined ? {} : { company_size: companySize }),
      ...(teamSize === undefined ? {} : { team_size: teamSize }),
      ...(useCases === undefined ? {} : { use_cases: [...useCases] }),
      ...(observabilityStack === undefined ? {} : { observability_stack: [...observabilityStack] }),
    })
    .where("id", "=", organizationId)
    .execute();
  if (!isComplete) return;
  await tx
    .updateTable("organizations")
    .set({ metadata_completed_at: at })
    .where("id", "=", organizationId)
    .where("metadata_completed_at", "is", null)
    .execute();
}

/** What an organization has reached, by what other rooms keep of it. */
export async function findMilestones(
  tx: DatabaseTransaction,
  organizationId: string,
): Promise<Readonly<Record<"first_connection" | "first_answer", boolean>>> {
  const connection = await tx
    .selectFrom("integrations")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("status", "=", "active")
    .limit(1)
    .executeTakeFirst();
  const answer = await tx
    .selectFrom("turns")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("state", "=", "answered")
    .limit(1)
    .executeTakeFirst();
  return { first_connection: connection !== undefined, first_answer: answer !== undefined };
}

/** Notes the first time; later ones change nothing. */
export async function markMilestone(
  tx: DatabaseTransaction,
  organizationId: string,
  milestone: "first_connection" | "first_answer",
  at: Date,
): Promise<void> {
  const column = `${milestone}_at` as const;
  await tx
    .updateTable("organizations")
    .set({ [column]: at })
    .where("id", "=", organizationId)
    .where(column, "is", null)
    .execute();
}

export async function updateEmailMatch(
  tx: DatabaseTransaction,
  organizationId: string,
  allowsEmailMatch: boolean,
): Promise<void> {
  await tx
    .updateTable("organizations")
    .set({ allows_email_match: allowsEmailMatch })
    .where("id", "=", organizationId)
    .execute();
}

export interface RoleMapping {
  readonly role: string;
  readonly permissions: readonly string[];
}

const MAPPINGS_MAX = 200;

/** In the order of their roles. */
export async function listRoleMappings(
  tx: DatabaseTransaction,
  organizationId: string,
): Promise<readonly RoleMapping[]> {
  return tx
    .selectFrom("role_mappings")
    .select(["role", "permissions"])
    .where("organization_id", "=", organizationId)
    .orderBy("role")
    .limit(MAPPINGS_MAX)
    .execute();
}

/** Puts these mappings in the place of all others. */
export async function replaceRoleMappings(
  tx: DatabaseTransaction,
  organizationId: string,
  mappings: readonly (RoleMapping & { readonly id: string })[],
  at: Date,
): Promise<void> {
  await tx.deleteFrom("role_mappings").where("organization_id", "=", organizationId).execute();
  if (mappings.length === 0) return;
  await tx
    .insertInto("role_mappings")
    .values(
      mappings.map(({ id, role, permissions }) => ({
        id,
        organization_id: organizationId,
        role,
        permissions: [...permissions],
        updated_at: at,
      })),
    )
    .execute();
}
