import { withTenant, type DatabaseTransaction } from "#database";
import type { Principal } from "#platform";
import type { IdentityDeps } from "../deps.ts";
import {
  actsAsLocalAdmin,
  localPrincipal,
  mayEverAct,
  permissionsOfRole,
  type ChatPerson,
} from "../model.ts";
import { findOrganization } from "../organizations/store.ts";
import { findMember, listMembersByEmail, type Member } from "../store.ts";
import { findChatUser as findLinked, upsertChatUser } from "./store.ts";

export interface FindChatUserDeps extends IdentityDeps {
  readonly provider: "clerk" | "local" | "none";
}

/**
 * Whom somebody in a chat acts as: the member they are linked to, with that member's own permissions,
 * as they are now. Undefined for strangers, guests, people who are not linked and members who left.
 */
export async function findChatUser(
  deps: FindChatUserDeps,
  organizationId: string,
  integrationId: string,
  person: ChatPerson,
): Promise<Principal | undefined> {
  if (!mayEverAct(person)) return undefined;
  if (actsAsLocalAdmin(deps.provider, organizationId)) {
    return person.name === undefined ? localPrincipal : { ...localPrincipal, name: person.name };
  }
  const member = await withTenant(deps.db, organizationId, async (tx) => {
    const linked = await findLinked(tx, organizationId, integrationId, person.id);
    if (linked) return findMember(tx, organizationId, linked.userId);
    return matchByEmail(deps, tx, { organizationId, integrationId, person });
  });
  if (!member) return undefined;
  return {
    kind: "user",
    organizationId,
    id: member.userId,
    userId: member.userId,
    name: member.name || (member.email ?? ""),
    permissions: permissionsOfRole(member.role, member.mappedPermissions),
  };
}

/** Links a person to the one member who has their verified address, where the admin allows it. */
async function matchByEmail(
  deps: FindChatUserDeps,
  tx: DatabaseTransaction,
  input: {
    readonly organizationId: string;
    readonly integrationId: string;
    readonly person: ChatPerson;
  },
): Promise<Member | undefined> {
  const { organizationId, integrationId, person } = input;
  if (!person.verifiedEmail) return undefined;
  const organization = await findOrganization(tx, organizationId);
  if (!organization?.allowsEmailMatch) return undefined;
  const [member, ...others] = await listMembersByEmail(tx, organizationId, person.verifiedEmail);
  if (!member || others.some(({ userId }) => userId !== member.userId)) return undefined;
  await upsertChatUser(tx, organizationId, {
    id: deps.ids(),
    organizationId,
    integrationId,
    chatUserId: person.id,
    chatUserName: person.name ?? person.id,
    userId: member.userId,
    method: "email",
    createdAt: deps.clock.now(),
  });
  await deps.audit.append(tx, {
    organizationId,
    actor: { kind: "system", id: "identity" },
    action: "chat_user.linked",
    target: { kind: "chat_user", id: person.id },
    outcome: "ok",
    details: { integration_id: integrationId, user_id: member.userId, method: "email" },
  });
  return member;
}
