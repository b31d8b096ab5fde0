/** Whom a request, message or event belongs to, and what it may do. */
export interface Principal {
  /** "local": whoever uses the machine that a service in local mode runs on. */
  readonly kind: "user" | "service" | "local";
  readonly organizationId: string;
  /** Stable id for logs and audit: the user's id, or the service token's. */
  readonly id: string;
  readonly permissions: ReadonlySet<string>;
  /** The person behind it; a service token has none. */
  readonly userId?: string;
  /** For people: a name or an e-mail address. */
  readonly name?: string;
  /** Somebody looks through another person's eyes: nothing may be changed or approved. */
  readonly isReadOnly?: boolean;
  /** What the directory (Clerk) calls the organization and the person. */
  readonly directory?: { readonly organizationId: string; readonly userId: string };
  /** Minutes since the person last proved who they are, where the session says so. */
  readonly provenMinutesAgo?: number;
}
