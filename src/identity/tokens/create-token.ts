import { AppError, Secret, type Principal } from "#platform";
import { withTenant } from "#database";
import { assertCan, noSuchThing } from "../can.ts";
import type { TokenDeps } from "../deps.ts";
import { hashOf, randomToken } from "../hash-token.ts";
import { TOKEN_SCOPES, type Permission } from "../model.ts";
import { isOrganizationLive } from "../store.ts";
import { TOKEN_PREFIX } from "./authenticate-token.ts";
import { insertToken } from "./store.ts";

export interface NewToken {
  readonly name: string;
  readonly scopes: readonly Permission[];
  /** In 90 days by default; at most a year ahead. */
  readonly expiresAt?: Date | undefined;
}

export interface CreatedToken {
  readonly id: string;
  /** Shown once: only its hash is kept. */
  readonly token: Secret;
  readonly expiresAt: Date;
}

const DAY_MS = 24 * 3_600_000;
const TOKEN_DAYS = { default: 90, max: 366 } as const;

/** Makes a token for a program. Nobody gives away more than they have. */
export async function createToken(
  deps: TokenDeps,
  principal: Principal,
  input: NewToken,
): Promise<CreatedToken> {
  assertCan(principal, "token:manage");
  const at = deps.clock.now();
  const expiresAt = input.expiresAt ?? new Date(at.getTime() + TOKEN_DAYS.default * DAY_MS);
  if (expiresAt <= at || expiresAt.getTime() > at.getTime() + TOKEN_DAYS.max * DAY_MS) {
    throw new AppError("invalid_request", `A token expires within ${TOKEN_DAYS.max} days.`);
  }
  for (const scope of input.scopes) {
    if (!TOKEN_SCOPES.includes(scope)) {
      throw new AppError("invalid_request", `A token cannot carry the permission ${scope}.`);
    }
    assertCan(principal, scope);
  }
  const { organizationId } = principal;
  const token = `${TOKEN_PREFIX}${randomToken()}`;
  const id = deps.ids();
  const scopes = [...new Set(input.scopes)];
  await withTenant(deps.db, organizationId, async (tx) => {
    if (!(await isOrganizationLive(tx, organizationId))) throw noSuchThing();
    await insertToken(tx, organizationId, {
      id,
      name: input.name,
      hash: hashOf(token),
      scopes,
      createdBy: principal.userId,
      expiresAt,
      at,
    });
    await deps.audit.append(tx, {
      organizationId,
      actor: { kind: principal.kind, id: principal.id },
      action: "token.created",
      target: { kind: "token", id },
      outcome: "ok",
      details: { name: input.name, scopes, expires_at: expiresAt.toISOString() },
    });
  });
  return { id, token: new Secret(token), expiresAt };
}
