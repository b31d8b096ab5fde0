import type { Principal } from "#platform";

/** The organization of local mode; the first migration makes it. */
export const LOCAL_ORGANIZATION_ID = "00000000-0000-7000-8000-000000000001";
/** The one person of local mode. */
export const LOCAL_USER_ID = "00000000-0000-7000-8000-000000000002";

/** What a principal may be allowed to do. Service tokens carry some of these as scopes. */
export const PERMISSIONS = [
  "organization:read",
  "organization:edit",
  "member:read",
  /** Role mappings, and the chat links of others. */
  "member:manage",
  "integration:read",
  "integration:connect",
  "integration:revoke",
  "integration:rotate",
  /** Of the service itself, for one run: no person and no token has it. */
  "credential:use",
  "conversation:read",
  "conversation:send",
  /** To speak as the bot. */
  "conversation:reply",
  "channel:monitor",
  "action:request",
  "action:approve",
  "action:approve_high",
  "policy:edit",
  "audit:read",
  "token:manage",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const ADMIN_ROLE = "org:admin";
const MEMBER_ROLE = "org:member";

const MEMBER: readonly Permission[] = [
  "organization:read",
  "member:read",
  "integration:read",
  "conversation:read",
  "conversation:send",
  "action:request",
];
const ADMIN = PERMISSIONS.filter((permission) => permission !== "credential:use");

/** The one table of roles. A role that is not here and not mapped may do nothing. */
const ROLES: ReadonlyMap<string, readonly Permission[]> = new Map([
  [ADMIN_ROLE, ADMIN],
  [MEMBER_ROLE, MEMBER],
]);

/** What an admin may hand to a custom role. */
export const MAPPABLE_PERMISSIONS: readonly Permission[] = ADMIN;
/** What a service token may carry: a program approves nothing, and makes no other programs. */
export const TOKEN_SCOPES: readonly Permission[] = ADMIN.filter(
  (permission) => !permission.startsWith("action:approve") && permission !== "token:manage",
);

/** A role's permissions: those of the table, and those that the organization's admin mapped to it. */
export function permissionsOfRole(
  role: string,
  mapped: readonly string[] = [],
): ReadonlySet<Permission> {
  // Mapped earlier, perhaps by another version: what is no permission any more is dropped.
  const extra = MAPPABLE_PERMISSIONS.filter((permission) => mapped.includes(permission));
  return new Set([...(ROLES.get(role) ?? []), ...extra]);
}

/** What is left of permissions for somebody who may only look. */
export function readOnly(permissions: ReadonlySet<Permission>): ReadonlySet<Permission> {
  return new Set([...permissions].filter((permission) => permission.endsWith(":read")));
}

/** Whoever reaches the loopback ports of a service in local mode. */
export const localPrincipal: Principal = {
  kind: "local",
  organizationId: LOCAL_ORGANIZATION_ID,
  id: "local",
  userId: LOCAL_USER_ID,
  name: "Local admin",
  permissions: new Set(ADMIN),
};

/** The operator of the machine, acting for one organization from the command line. */
export function adminOf(organizationId: string, id: string): Principal {
  return { kind: "local", organizationId, id, permissions: new Set(ADMIN) };
}

/** Somebody in a chat, as its connector knows them. */
export interface ChatPerson {
  /** The vendor's id ("U0123"). */
  readonly id: string;
  readonly name?: string | undefined;
  /** Of another workspace, present through a shared channel. */
  readonly isStranger?: boolean | undefined;
  readonly isGuest?: boolean | undefined;
  /** Only where the vendor verified it. */
  readonly verifiedEmail?: string | undefined;
}

/** Strangers and guests never act, linked or not. */
export function mayEverAct({ isStranger, isGuest }: ChatPerson): boolean {
  return isStranger !== true && isGuest !== true;
}

/**
 * The laptop rule: with local identity, everybody in the one organization's chat acts as its admin, so
 * that nobody has to be linked. Wherever Clerk says who is who, or the organization is another, it
 * does not hold.
 */
export function actsAsLocalAdmin(
  provider: "clerk" | "local" | "none",
  organizationId: string,
): boolean {
  return provider === "local" && organizationId === LOCAL_ORGANIZATION_ID;
}
