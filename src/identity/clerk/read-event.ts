import { createHash } from "node:crypto";
import { z } from "zod";

/** One fact of the directory. `version` orders the facts about one thing, whatever order they come in. */
export type DirectoryFact =
  | { readonly kind: "user"; readonly clerkUserId: string; readonly news: UserNews | "deleted" }
  | {
      readonly kind: "organization";
      readonly clerkOrganizationId: string;
      readonly news: OrganizationNews | "deleted";
    }
  | {
      readonly kind: "membership";
      readonly clerkMembershipId: string;
      readonly clerkOrganizationId: string;
      readonly clerkUserId: string;
      readonly role: string;
      readonly isDeleted: boolean;
      readonly version: string;
      readonly createdAt: Date;
    };

export interface UserNews {
  readonly version: string;
  readonly email: string | null;
  readonly isEmailVerified: boolean;
  readonly name: string;
  readonly createdAt: Date;
}

export interface OrganizationNews {
  readonly version: string;
  readonly name: string;
  readonly slug: string;
  readonly createdAt: Date;
}

export interface DirectoryEvent {
  readonly type: string;
  /** When it happened, by the directory's clock. */
  readonly happenedAt: Date;
  /** Undefined for a kind of event that we have no use for. */
  readonly fact: DirectoryFact | undefined;
}

const clerkId = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\w-]+$/);
const ms = z.number().int().min(0).max(100_000_000_000_000);
/** Text for people: bounded, and without what PostgreSQL cannot store. */
const said = z
  .string()
  .max(10_000)
  .transform((text) => text.replaceAll("\u0000", "").slice(0, 300))
  .nullish();

const Envelope = z.object({
  type: z.string().min(1).max(100),
  timestamp: ms.optional(),
  data: z.unknown(),
});

const Deleted = z.object({ id: clerkId });

const User = z.object({
  id: clerkId,
  first_name: said,
  last_name: said,
  username: said,
  primary_email_address_id: z.string().max(200).nullish(),
  email_addresses: z
    .array(
      z.object({
        id: z.string().max(200),
        email_address: z.string().max(320),
        verification: z.object({ status: z.string().max(50).nullish() }).nullish(),
      }),
    )
    .max(100)
    .default([]),
  created_at: ms,
  updated_at: ms,
});

const Organization = z.object({
  id: clerkId,
  name: said,
  slug: said,
  created_at: ms,
  updated_at: ms,
});

const Membership = z.object({
  id: clerkId,
  role: z.string().min(1).max(100),
  organization: z.object({ id: clerkId }),
  public_user_data: z.object({ user_id: clerkId }),
  created_at: ms,
  updated_at: ms,
});

/** What a verified delivery says. Throws ZodError or SyntaxError when it is not what Clerk sends. */
export function readDirectoryEvent(body: Uint8Array, sentAt: Date): DirectoryEvent {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  const { type, timestamp, data } = Envelope.parse(JSON.parse(text));
  const happenedAtMs = timestamp ?? sentAt.getTime();
  return { type, happenedAt: new Date(happenedAtMs), fact: readFact(type, data, happenedAtMs) };
}

function readFact(type: string, data: unknown, happenedAtMs: number): DirectoryFact | undefined {
  switch (type) {
    case "user.created":
    case "user.updated":
      return readUser(data, happenedAtMs);
    case "user.deleted":
      return { kind: "user", clerkUserId: Deleted.parse(data).id, news: "deleted" };
    case "organization.created":
    case "organization.updated":
      return readOrganization(data, happenedAtMs);
    case "organization.deleted":
      return { kind: "organization", clerkOrganizationId: Deleted.parse(data).id, news: "deleted" };
    case "organizationMembership.created":
    case "organizationMembership.updated":
      return readMembership(data, happenedAtMs, false);
    case "organizationMembership.deleted":
      return readMembership(data, happenedAtMs, true);
    default:
      return undefined;
  }
}

function readUser(data: unknown, happenedAtMs: number): DirectoryFact {
  const user = User.parse(data);
  const primary = user.email_addresses.find(({ id }) => id === user.primary_email_address_id);
  const fullName = [user.first_name, user.last_name].filter(Boolean).join(" ");
  const facts = {
    email: primary?.email_address.replaceAll("\u0000", "") ?? null,
    isEmailVerified: primary?.verification?.status === "verified",
    name: fullName || user.username || "",
    createdAt: new Date(user.created_at),
  };
  const version = versionOf(user.updated_at, happenedAtMs, facts);
  return { kind: "user", clerkUserId: user.id, news: { ...facts, version } };
}

function readOrganization(data: unknown, happenedAtMs: number): DirectoryFact {
  const organization = Organization.parse(data);
  const facts = {
    name: organization.name ?? "",
    slug: organization.slug ?? "",
    createdAt: new Date(organization.created_at),
  };
  const version = versionOf(organization.updated_at, happenedAtMs, facts);
  return {
    kind: "organization",
    clerkOrganizationId: organization.id,
    news: { ...facts, version },
  };
}

function readMembership(data: unknown, happenedAtMs: number, isDeleted: boolean): DirectoryFact {
  const membership = Membership.parse(data);
  const { role } = membership;
  return {
    kind: "membership",
    clerkMembershipId: membership.id,
    clerkOrganizationId: membership.organization.id,
    clerkUserId: membership.public_user_data.user_id,
    role,
    isDeleted,
    version: versionOf(membership.updated_at, happenedAtMs, { role }),
    createdAt: new Date(membership.created_at),
  };
}

/**
 * Sorts as text: when the thing changed, then when that was told, then its content, so that two facts
 * of one millisecond have the same winner whichever came first.
 */
function versionOf(updatedAtMs: number, happenedAtMs: number, facts: object): string {
  const content = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16);
  return (
    [updatedAtMs, happenedAtMs].map((n) => String(n).padStart(15, "0")).join(".") + `.${content}`
  );
}
