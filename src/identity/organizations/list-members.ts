import { isUuid, AppError, type Principal } from "#platform";
import { withTenant } from "#database";
import { assertCan } from "../can.ts";
import type { IdentityDeps } from "../deps.ts";
import { listMembers as listStored, type Member } from "../store.ts";

export interface MemberPage {
  readonly members: readonly Member[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** The people of the principal's organization. */
export async function listMembers(
  deps: IdentityDeps,
  principal: Principal,
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
): Promise<MemberPage> {
  assertCan(principal, "member:read");
  if (pageToken !== "" && !isUuid(pageToken)) {
    throw new AppError("invalid_request", "page_token is not one that an earlier answer gave.");
  }
  const { organizationId } = principal;
  const found = await withTenant(deps.db, organizationId, (tx) =>
    listStored(tx, organizationId, {
      afterUserId: pageToken || undefined,
      membersMax: pageSize + 1,
    }),
  );
  const members = found.slice(0, pageSize);
  const hasMore = found.length > pageSize;
  return { members, nextPageToken: hasMore ? (members.at(-1)?.userId ?? "") : "" };
}
