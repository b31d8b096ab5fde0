import type { Connection } from "./connector.ts";

/** A repository, project, service or cluster of a connected account. */
export interface Resource {
  /** The vendor's id; it survives a rename. */
  readonly id: string;
  /** Such as "repository". */
  readonly kind: string;
  /** As people say it: "acme/payments". */
  readonly name: string;
  readonly url?: string;
  /** What we may do with it, in the vendor's words: { contents: "read" }. */
  readonly permissions?: Readonly<Record<string, string>>;
  /** Never a secret. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ResourcePage {
  readonly resources: readonly Resource[];
  /** Absent on the last page. Opaque, at most 2,000 characters. */
  readonly nextPageToken?: string;
}

/** What of an account is kept in step. Listed whole: what is in no page is gone. */
export interface Resources {
  list(
    connection: Connection,
    page: { readonly pageToken?: string },
    options: { readonly signal: AbortSignal },
  ): Promise<ResourcePage>;
}
