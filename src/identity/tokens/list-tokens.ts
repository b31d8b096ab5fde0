import type { Principal } from "#platform";
import { withTenant } from "#database";
import { assertCan } from "../can.ts";
import type { TokenDeps } from "../deps.ts";
import { listTokens as listStored, type ServiceToken } from "./store.ts";

const LISTED_MAX = 500;

/** The organization's tokens, newest first, dead ones included; never the tokens themselves. */
export async function listTokens(
  deps: TokenDeps,
  principal: Principal,
): Promise<readonly ServiceToken[]> {
  assertCan(principal, "token:manage");
  const { organizationId } = principal;
  return withTenant(deps.db, organizationId, (tx) => listStored(tx, organizationId, LISTED_MAX));
}
