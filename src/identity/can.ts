import { AppError, type Principal } from "#platform";
import { PERMISSIONS, type Permission } from "./model.ts";

/** Anything that belongs to an organization. */
export interface Owned {
  readonly organizationId: string;
}

/** A change of accesses asks for a person who proved themselves lately: minutes. */
const STEP_UP_MINUTES = 10;
const STEP_UP: ReadonlySet<string> = new Set<Permission>([
  "integration:connect",
  "integration:revoke",
  "integration:rotate",
]);

type Verdict = "yes" | "not_found" | "forbidden" | "read_only" | "step_up";

/** Whether a principal may do something, to an object where one is named. The one place that decides. */
export function can(principal: Principal, permission: Permission, object?: Owned): boolean {
  return decide(principal, permission, object) === "yes";
}

/**
 * Throws where `can` says no: not_found for another organization's object, as if it did not exist;
 * forbidden for a known one, naming what is missing and who can grant it.
 */
export function assertCan(principal: Principal, permission: Permission, object?: Owned): void {
  const verdict = decide(principal, permission, object);
  switch (verdict) {
    case "yes":
      return;
    case "not_found":
      throw noSuchThing();
    case "read_only":
      throw new AppError(
        "forbidden",
        "This session looks through another person's eyes, so it can only read.",
      );
    case "step_up":
      throw new AppError(
        "forbidden",
        `This needs a sign-in of the last ${STEP_UP_MINUTES} minutes: sign in again, then repeat it.`,
        { details: { reason: "step_up" } },
      );
    case "forbidden":
      throw new AppError("forbidden", missingPermission(principal, permission), {
        details: { permission },
      });
  }
}

/** `assertCan` for a permission by its name, as a route declares it. Throws internal for a name that is none. */
export function assertCanByName(principal: Principal, name: string): void {
  const permission = PERMISSIONS.find((known) => known === name);
  if (!permission) throw new AppError("internal", `"${name}" is no permission.`);
  assertCan(principal, permission);
}

/** The sentence for a refusal: which permission is missing and who can grant it. */
export function missingPermission(principal: Principal, permission: Permission): string {
  return principal.kind === "service"
    ? `This token lacks the permission ${permission}: an admin of the organization can make one that has it.`
    : `You lack the permission ${permission}: an admin of your organization (role org:admin) can grant it.`;
}

/** The same answer for what does not exist and for what another organization has. */
export function noSuchThing(): AppError {
  return new AppError("not_found", "There is nothing with this id.");
}

/** Ids that a body may repeat beside the principal. */
export interface ClaimedIds {
  readonly organization_id?: string | undefined;
  readonly user_id?: string | undefined;
  readonly clerk_org_id?: string | undefined;
  readonly clerk_user_id?: string | undefined;
}

/** The principal decides who asks. A body that says otherwise asks for something that does not exist. */
export function assertSamePrincipal(principal: Principal, body: ClaimedIds): void {
  const { organizationId, userId, directory } = principal;
  const isSame =
    agrees(body.organization_id, [organizationId, directory?.organizationId]) &&
    agrees(body.clerk_org_id, [directory?.organizationId]) &&
    agrees(body.user_id, [userId, directory?.userId]) &&
    agrees(body.clerk_user_id, [directory?.userId]);
  if (!isSame) throw noSuchThing();
}

function agrees(claimed: string | undefined, ours: readonly (string | undefined)[]): boolean {
  return claimed === undefined || ours.includes(claimed);
}

function decide(principal: Principal, permission: Permission, object: Owned | undefined): Verdict {
  if (object && object.organizationId !== principal.organizationId) return "not_found";
  if (principal.isReadOnly && !permission.endsWith(":read")) return "read_only";
  if (!principal.permissions.has(permission)) return "forbidden";
  const { provenMinutesAgo } = principal;
  const isOld = provenMinutesAgo !== undefined && provenMinutesAgo > STEP_UP_MINUTES;
  return isOld && STEP_UP.has(permission) ? "step_up" : "yes";
}
