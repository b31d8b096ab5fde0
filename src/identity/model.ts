import type { Principal } from "#platform";

/** The organization of local mode; the first migration makes it. */
export const LOCAL_ORGANIZATION_ID = "00000000-0000-7000-8000-000000000001";

/** What a principal may be allowed to do. Service tokens carry some of these as scopes. */
export const PERMISSIONS = [
  "conversation:read",
  "conversation:send",
  "conversation:reply",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Whoever reaches the loopback ports of a service in local mode. */
export const localPrincipal: Principal = {
  kind: "local",
  organizationId: LOCAL_ORGANIZATION_ID,
  id: "local",
  permissions: new Set(PERMISSIONS),
};
