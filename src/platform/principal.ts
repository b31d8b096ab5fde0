/** Whom a request, message or event belongs to, and what it may do. */
export interface Principal {
  readonly kind: "user" | "service" | "local";
  readonly organizationId: string;
  /** Stable id for logs and audit: the user's id, or the service token's. */
  readonly id: string;
  readonly permissions: ReadonlySet<string>;
}
