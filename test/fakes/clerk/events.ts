/** A webhook's body, as Clerk writes it: https://clerk.com/docs/webhooks/overview (2026-11). */
export interface ClerkEvent {
  readonly type: string;
  readonly object: "event";
  readonly timestamp: number;
  readonly instance_id: string;
  readonly data: object;
}

type Verb = "created" | "updated" | "deleted";

export function userEvent(
  verb: Verb,
  user: {
    readonly id: string;
    readonly atMs: number;
    readonly email?: string;
    readonly isVerified?: boolean;
    readonly firstName?: string;
    readonly lastName?: string;
  },
): ClerkEvent {
  const { id, atMs, email = `${id}@example.com`, isVerified = true } = user;
  if (verb === "deleted") return event(`user.${verb}`, atMs, { id, object: "user", deleted: true });
  return event(`user.${verb}`, atMs, {
    id,
    object: "user",
    first_name: user.firstName ?? "Ana",
    last_name: user.lastName ?? null,
    username: null,
    image_url: "https://img.clerk.com/x",
    primary_email_address_id: `idn_${id}`,
    email_addresses: [
      { id: "idn_other", email_address: "other@example.com", verification: null },
      {
        id: `idn_${id}`,
        object: "email_address",
        email_address: email,
        verification: { status: isVerified ? "verified" : "unverified", strategy: "email_code" },
      },
    ],
    phone_numbers: [],
    public_metadata: {},
    banned: false,
    created_at: 1_700_000_000_000,
    updated_at: atMs,
  });
}

export function organizationEvent(
  verb: Verb,
  organization: { readonly id: string; readonly atMs: number; readonly name?: string },
): ClerkEvent {
  const { id, atMs, name = "Acme" } = organization;
  if (verb === "deleted") {
    return event(`organization.${verb}`, atMs, { id, object: "organization", deleted: true });
  }
  return event(`organization.${verb}`, atMs, {
    id,
    object: "organization",
    name,
    slug: name.toLowerCase(),
    members_count: 1,
    max_allowed_memberships: 5,
    created_by: "user_x",
    public_metadata: {},
    created_at: 1_700_000_000_000,
    updated_at: atMs,
  });
}

export function membershipEvent(
  verb: Verb,
  membership: {
    readonly id: string;
    readonly organizationId: string;
    readonly userId: string;
    readonly atMs: number;
    readonly role?: string;
  },
): ClerkEvent {
  const { id, organizationId, userId, atMs, role = "org:member" } = membership;
  return event(`organizationMembership.${verb}`, atMs, {
    id,
    object: "organization_membership",
    role,
    permissions: [],
    organization: { id: organizationId, object: "organization", name: "ignored", slug: "ignored" },
    public_user_data: { user_id: userId, identifier: "x@example.com", first_name: null },
    created_at: 1_700_000_000_000,
    updated_at: atMs,
  });
}

function event(type: string, timestamp: number, data: object): ClerkEvent {
  return { type, object: "event", timestamp, instance_id: "ins_fake", data };
}
