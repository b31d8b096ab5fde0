import type { Database } from "#database";
import type { Clock, Ids, Principal, Secret } from "#platform";
import { authenticate, createServiceToken, type Credentials } from "./authenticate.ts";
import type { Permission } from "./model.ts";

export { LOCAL_ORGANIZATION_ID, PERMISSIONS, type Permission } from "./model.ts";

export interface Identity {
  /** Says who calls; undefined when nobody we know. */
  authenticate(
    credentials: Credentials,
    options: { readonly isAnonymousLoopbackAllowed: boolean },
  ): Promise<Principal | undefined>;
  /** Makes a token for a program; it is shown once. */
  createServiceToken(
    organizationId: string,
    input: {
      readonly name: string;
      readonly scopes: readonly Permission[];
      readonly expiresAt?: Date;
    },
  ): Promise<{ readonly id: string; readonly token: Secret }>;
}

/** Knows who calls. */
export function createIdentity(deps: {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
}): Identity {
  return {
    authenticate: (credentials, options) => authenticate(deps, credentials, options),
    createServiceToken: (organizationId, input) => createServiceToken(deps, organizationId, input),
  };
}
