import type { Access, FileChange, Permissions } from "./model.ts";

// What the fake remembers. Names of people and repositories are compared without case, as GitHub does.

export interface Account {
  readonly id: number;
  readonly login: string;
  readonly type: "User" | "Organization";
  /** Of an organization: login in lower case to role. */
  readonly people: Map<string, "admin" | "member">;
  readonly basePermission: "none" | "read" | "write";
}

export interface Repository {
  readonly id: number;
  readonly owner: Account;
  name: string;
  readonly isPrivate: boolean;
  readonly isArchived: boolean;
  readonly defaultBranch: string;
  readonly collaborators: ReadonlyMap<string, Access>;
  readonly files: Map<string, string>;
  readonly createdAtMs: number;
  readonly commits: Map<string, Commit>;
  /** Branch to the sha of its head. */
  readonly branches: Map<string, string>;
  readonly issues: Issue[];
  readonly runs: WorkflowRun[];
  readonly reruns: { readonly runId: number; readonly onlyFailed: boolean }[];
  readonly deployments: Deployment[];
}

export interface Commit {
  readonly sha: string;
  readonly message: string;
  readonly author: string;
  readonly atMs: number;
  readonly parent: string | undefined;
  readonly files: readonly FileChange[];
}

export interface Comment {
  readonly id: number;
  readonly author: string;
  readonly body: string;
  readonly atMs: number;
}

/** Issues and pull requests share their numbers. */
export interface Issue {
  readonly id: number;
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly author: string;
  readonly labels: readonly string[];
  readonly state: "open" | "closed";
  readonly atMs: number;
  readonly comments: Comment[];
  readonly pull?: Pull;
}

export interface Pull {
  readonly head: string;
  readonly base: string;
  readonly isDraft: boolean;
  readonly isMerged: boolean;
  readonly diff: string;
  readonly files: readonly FileChange[];
}

export interface WorkflowRun {
  readonly id: number;
  readonly name: string;
  readonly branch: string;
  readonly event: string;
  readonly headSha: string;
  readonly atMs: number;
  readonly jobs: readonly Job[];
  status: "completed" | "in_progress" | "queued";
  conclusion: string | null;
  attempt: number;
}

export interface Job {
  readonly id: number;
  readonly name: string;
  readonly conclusion: string | null;
  readonly log: string | null | undefined;
  readonly steps: readonly { readonly name: string; readonly conclusion: string | null }[];
}

export interface Deployment {
  readonly id: number;
  readonly environment: string;
  readonly ref: string;
  readonly sha: string;
  readonly author: string;
  readonly description: string;
  readonly atMs: number;
  readonly statuses: readonly {
    readonly id: number;
    readonly state: string;
    readonly description: string;
  }[];
}

export interface Installation {
  readonly id: number;
  readonly account: Account;
  readonly createdAtMs: number;
  permissions: Permissions;
  selection: "all" | "selected";
  /** Of a selection: ids of its repositories. */
  readonly selected: Set<number>;
  suspendedAtMs: number | undefined;
  updatedAtMs: number;
}
