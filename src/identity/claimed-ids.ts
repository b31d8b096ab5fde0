import { z } from "zod";

const id = z.string().min(1).max(200).optional();

/**
 * For the schema of a body: the ids that older clients send beside what they ask. They decide nothing;
 * `assertSamePrincipal` refuses those that disagree with the principal.
 */
export const claimedIds = { organization_id: id, user_id: id, clerk_org_id: id, clerk_user_id: id };
