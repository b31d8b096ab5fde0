/** How far a permission reaches; each level includes those before it. */
export type Access = "read" | "write" | "admin";

/** Permission name to its level, such as `{ contents: "read", issues: "write" }`. */
export type Permissions = Readonly<Record<string, string>>;

export type JsonObject = Readonly<Record<string, unknown>>;

export interface FakeGitHubOptions {
  /** Default "424242". */
  readonly appId?: string;
  /** Default "infragpt-test". */
  readonly appSlug?: string;
  /** Default "Iv23fakeclient". */
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly webhookSecret?: string;
  /** What the App asks for, and what an installation grants where nothing else is said. */
  readonly permissions?: Permissions;
  /** Caps `per_page`, so that few things make many pages. Default 100, as GitHub does. */
  readonly pageSizeMax?: number;
  readonly now?: () => number;
}

export interface AddRepositoryOptions {
  /** Default true. */
  readonly private?: boolean;
  /** Login to what that person may do. People of an organization need no entry. */
  readonly collaborators?: Readonly<Record<string, Access>>;
  /** Path to text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Default "main". */
  readonly defaultBranch?: string;
  readonly archived?: boolean;
}

export interface AddOrganizationOptions {
  /** What members may do with every repository of the organization. Default "read". */
  readonly basePermission?: "none" | "read" | "write";
}

export interface InstallOptions {
  /** Full names, or "all", which is the default. */
  readonly repositories?: "all" | readonly string[];
  /** Default: all that the App asks for. `metadata: read` always comes with it. */
  readonly permissions?: Permissions;
  /** Login of who installs; by default the account itself or the first admin. */
  readonly by?: string;
}

export interface Approval {
  /** The signed-in person. */
  readonly login: string;
  /** Where the App is installed. Default: the person's own account. */
  readonly account?: string;
  readonly repositories?: "all" | readonly string[];
  readonly permissions?: Permissions;
}

export interface InstallationFacts {
  readonly id: number;
  readonly account: string;
  readonly suspended: boolean;
  readonly permissions: Permissions;
  /** Full names of what it reaches now. */
  readonly repositories: readonly string[];
}

export interface SentDelivery {
  readonly guid: string;
  /** The id of this attempt; a redelivery has the same guid and another id. */
  readonly id: number;
  /** What the receiver answered; 0 when it could not be reached. */
  readonly status: number;
}

export interface SendOptions {
  /** Default: a new uuid. */
  readonly guid?: string;
  /** Fills `installation` and `sender` where the payload lacks them. */
  readonly installationId?: number;
  /** Signs with another secret than the App's. */
  readonly secret?: string;
}

export interface SignOptions {
  readonly event: string;
  readonly guid?: string;
  readonly secret?: string;
  /** Default: the id of the App. */
  readonly targetId?: string;
}

export type GitHubFault =
  /** An answer with this status; nothing is performed. */
  | { readonly kind: "http"; readonly status: number }
  /** 429 with retry-after. */
  | { readonly kind: "rate_limited"; readonly retryAfterSeconds: number }
  /** 403 with `x-ratelimit-remaining: 0`. */
  | { readonly kind: "primary_limit"; readonly resetInSeconds: number }
  /** 403 with retry-after. */
  | { readonly kind: "secondary_limit"; readonly retryAfterSeconds: number }
  /** 401 Bad credentials. */
  | { readonly kind: "unauthorized" }
  /** Never answers; nothing is performed. */
  | { readonly kind: "hang" }
  /** Performs, then cuts the connection. */
  | { readonly kind: "close_after_performing" }
  /** Performs, then answers with half of the body. */
  | { readonly kind: "bad_json" };

export interface RecordedCall {
  /** As the route table names it, or `METHOD /path` of an unknown route. */
  readonly route: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** What the authorization header looks like; it may still be refused. */
  readonly authKind: "app" | "installation" | "user" | "basic" | "none";
  readonly installationId?: number;
  readonly body: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
  readonly fault?: GitHubFault;
}

/** What an app asked for when it asked for an installation token, granted or not. */
export interface TokenRequest {
  readonly installationId: number;
  readonly repositories?: readonly string[];
  readonly repositoryIds?: readonly number[];
  readonly permissions?: Permissions;
}

export interface FileChange {
  readonly filename: string;
  readonly patch: string;
}

export interface AddCommitOptions {
  readonly sha?: string;
  readonly message: string;
  /** Login; who is unknown here is a name without an account. */
  readonly author?: string;
  /** Default: the default branch. A new branch starts at the head of the default branch. */
  readonly branch?: string;
  readonly files?: readonly FileChange[];
  /** Default: now. */
  readonly at?: Date;
}

export interface AddPullRequestOptions {
  readonly title: string;
  readonly head: string;
  readonly base?: string;
  readonly author?: string;
  readonly body?: string;
  /** Default: made of `files`. */
  readonly diff?: string;
  /** Default: those of the commits of `head`. */
  readonly files?: readonly FileChange[];
  readonly state?: "open" | "closed";
  readonly merged?: boolean;
}

export interface AddIssueOptions {
  readonly title: string;
  readonly body?: string;
  readonly author?: string;
  readonly labels?: readonly string[];
  readonly state?: "open" | "closed";
}

export interface AddJobOptions {
  readonly name: string;
  /** null: still running. */
  readonly conclusion: string | null;
  /** null: GitHub has thrown it away (410). */
  readonly log?: string | null;
  readonly steps?: readonly { readonly name: string; readonly conclusion: string | null }[];
}

export interface AddWorkflowRunOptions {
  readonly name: string;
  /** Default: the default branch. */
  readonly branch?: string;
  /** Default "push". */
  readonly event?: string;
  /** null: still running. */
  readonly conclusion: string | null;
  /** Default: the head of the branch. */
  readonly headSha?: string;
  readonly jobs?: readonly AddJobOptions[];
  /** Default: now. */
  readonly at?: Date;
}

export interface AddDeploymentOptions {
  readonly environment: string;
  readonly ref: string;
  /** Default: the commit of `ref`. */
  readonly sha?: string;
  readonly author?: string;
  readonly description?: string;
  /** Oldest first. */
  readonly statuses?: readonly { readonly state: string; readonly description?: string }[];
  /** Default: now. */
  readonly at?: Date;
}

/** An issue or a pull request, as a test asserts on it. */
export interface IssueFacts {
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly labels: readonly string[];
  readonly isPullRequest: boolean;
  readonly comments: readonly { readonly body: string }[];
}

export interface RerunFacts {
  readonly runId: number;
  readonly onlyFailed: boolean;
}
