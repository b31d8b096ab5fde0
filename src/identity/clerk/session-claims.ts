import { z } from "zod";

/** What a verified session token says, in one shape for both versions of its claims. */
export interface Session {
  readonly sessionId: string | undefined;
  /** Clerk's ids. */
  readonly userId: string;
  /** Undefined while no organization is active. */
  readonly organizationId: string | undefined;
  readonly isImpersonated: boolean;
  /** Minutes between the last proof of the first factor and the token. */
  readonly provenMinutesAgo: number | undefined;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

const id = z.string().min(1).max(200);
const seconds = z.number().int().min(0).max(100_000_000_000);

const Claims = z.object({
  v: z.literal([1, 2]).optional(),
  sub: id,
  sid: id.optional(),
  azp: z.string().max(2_000).optional(),
  iat: seconds,
  exp: seconds,
  nbf: seconds.optional(),
  sts: z.string().optional(),
  act: z.unknown().optional(),
  fva: z.tuple([z.number(), z.number()]).optional(),
  // Version 1.
  org_id: id.nullish(),
  // Version 2.
  o: z.object({ id }).optional(),
});

interface ClaimRules {
  /** Origins whose sessions are accepted; empty accepts any, which production refuses to start with. */
  readonly authorizedParties: ReadonlySet<string>;
  readonly now: Date;
  readonly skewSeconds: number;
}

/** The session of verified claims, or undefined where they do not hold. The version says where the organization is; the two are never merged. */
export function readSession(payload: unknown, rules: ClaimRules): Session | undefined {
  const parsed = Claims.safeParse(payload);
  if (!parsed.success) return undefined;
  const claims = parsed.data;
  if (claims.iat > rules.now.getTime() / 1000 + rules.skewSeconds) return undefined;
  if (claims.sts !== undefined && claims.sts !== "active") return undefined;
  if (!isAuthorizedParty(claims.azp, rules.authorizedParties)) return undefined;
  const organizationId = claims.v === 2 ? claims.o?.id : claims.org_id;
  const provenMinutesAgo = claims.fva?.[0];
  return {
    sessionId: claims.sid,
    userId: claims.sub,
    organizationId: organizationId ?? undefined,
    isImpersonated: claims.act !== undefined && claims.act !== null,
    // -1 says that the factor was never used.
    provenMinutesAgo:
      provenMinutesAgo === undefined || provenMinutesAgo < 0 ? undefined : provenMinutesAgo,
    issuedAt: new Date(claims.iat * 1000),
    expiresAt: new Date(claims.exp * 1000),
  };
}

function isAuthorizedParty(azp: string | undefined, parties: ReadonlySet<string>): boolean {
  return parties.size === 0 || (azp !== undefined && parties.has(azp));
}
