import type { Principal } from "#platform";
import type { TokenDeps } from "../deps.ts";
import { createToken, type CreatedToken, type NewToken } from "./create-token.ts";
import { listTokens } from "./list-tokens.ts";
import { revokeToken } from "./revoke-token.ts";
import type { ServiceToken } from "./store.ts";

/** The service tokens of organizations. Everything needs token:manage. */
export interface Tokens {
  create(principal: Principal, input: NewToken): Promise<CreatedToken>;
  /** Newest first, dead ones included; never the tokens themselves. */
  list(principal: Principal): Promise<readonly ServiceToken[]>;
  /** Throws not_found for what is no token of the principal's organization. May be called twice. */
  revoke(principal: Principal, id: string): Promise<void>;
}

/** Service tokens by themselves, for the command line; `createIdentity` has them too. */
export function createTokens(deps: TokenDeps): Tokens {
  return {
    create: (principal, input) => createToken(deps, principal, input),
    list: (principal) => listTokens(deps, principal),
    revoke: (principal, id) => revokeToken(deps, principal, id),
  };
}
