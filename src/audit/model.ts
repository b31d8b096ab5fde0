import type { Json } from "./canonical-json.ts";

/** What is remembered, as "thing.happened". A row keeps its name for ever: names are added, not changed. */
export const AUDIT_ACTIONS = [
  "session.started",
  "session.ended",
  "session.refused",
  "access.denied",
  "token.created",
  "token.used",
  "token.refused",
  "token.revoked",
  "organization.created",
  "organization.updated",
  "organization.deleted",
  "onboarding.updated",
  "member.added",
  "member.role_changed",
  "member.removed",
  "role.mapped",
  "chat_user.link_offered",
  "chat_user.linked",
  "chat_user.unlinked",
  "chat_user.refused",
  "integration.authorize_started",
  "integration.connected",
  "integration.updated",
  "integration.revoked",
  "integration.removed",
  "credential.written",
  "credential.used",
  "credential.rotated",
  "credential.removed",
  "webhook.refused",
  "channel.monitoring_changed",
  "configuration.changed",
  "key.created",
  "key.promoted",
  "key.retired",
  "policy.changed",
  "operation.requested",
  "operation.started",
  "operation.finished",
  "approval.requested",
  "approval.decided",
  "approval.expired",
  "workflow.started",
  "workflow.finished",
  "job.replayed",
  "audit.exported",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export const AUDIT_ACTOR_KINDS = [
  "user",
  "service",
  "local",
  "chat_user",
  "system",
  "anonymous",
] as const;

export const AUDIT_OUTCOMES = ["ok", "denied", "failed"] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** Who did it. The id is the person's or the token's; for the system, the name of the part that acted. */
export interface AuditActor {
  readonly kind: (typeof AUDIT_ACTOR_KINDS)[number];
  readonly id: string;
}

/** One act, as the room that does it tells it. */
export interface AuditEntry {
  /** SYSTEM_CHAIN_ID for what belongs to no organization, such as a refused stranger. */
  readonly organizationId: string;
  readonly actor: AuditActor;
  readonly action: AuditAction;
  /** What it was done to: `{ kind: "token", id }`. */
  readonly target?: { readonly kind: string; readonly id: string } | undefined;
  readonly outcome: AuditOutcome;
  /**
   * Facts worth keeping, in snake_case. No secrets and no message text: a hash and a length say
   * enough. Long strings and lists are cut; what is still too large is kept as hash and size.
   */
  readonly details?: { readonly [fact: string]: Json | undefined } | undefined;
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
}

/** The chain of what happens outside every organization. Only system transactions write to it. */
export const SYSTEM_CHAIN_ID = "00000000-0000-0000-0000-000000000000";

/** An entry as it stands in the chain. */
export interface ChainedEntry {
  readonly organizationId: string;
  readonly seq: number;
  readonly at: Date;
  /** Of the stored time; whole milliseconds, unless somebody tampered with it. */
  readonly atMicroseconds: string;
  /** Canonical JSON, the text that was hashed. */
  readonly body: string;
  readonly prevHash: Buffer;
  readonly hash: Buffer;
}

export interface ChainHead {
  readonly organizationId: string;
  readonly seq: number;
  readonly hash: Buffer;
}

export interface SignedHead extends ChainHead {
  readonly signedAt: Date;
  readonly keyId: string;
  readonly signature: Buffer;
}

/** An entry as people read it. */
export interface ListedEntry {
  readonly seq: number;
  readonly at: Date;
  readonly actor: AuditActor;
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string } | undefined;
  readonly outcome: AuditOutcome;
  readonly details: { readonly [fact: string]: Json | undefined } | undefined;
  readonly requestId: string | undefined;
  readonly traceId: string | undefined;
  /** SHA-256 in hex. */
  readonly hash: string;
}
