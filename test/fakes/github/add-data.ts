import { createHash } from "node:crypto";

import { commitsOf, headOf } from "./history.ts";
import type {
  AddCommitOptions,
  AddDeploymentOptions,
  AddIssueOptions,
  AddPullRequestOptions,
  AddWorkflowRunOptions,
  FileChange,
} from "./model.ts";
import type { Issue, Repository } from "./records.ts";
import type { World } from "./world.ts";

type Authored<T> = T & { readonly author: string };

export function addCommit(
  world: World,
  repository: Repository,
  commit: Authored<AddCommitOptions>,
): string {
  const { message, author, files = [], branch = repository.defaultBranch } = commit;
  const id = world.nextId();
  const sha =
    commit.sha ?? createHash("sha1").update(`${repository.id}:${id}:${message}`).digest("hex");
  const parent = repository.branches.get(branch) ?? headOf(repository);
  const atMs = commit.at?.getTime() ?? world.now();
  repository.commits.set(sha, { sha, message, author, atMs, parent, files });
  repository.branches.set(branch, sha);
  return sha;
}

export function addIssue(
  world: World,
  repository: Repository,
  { title, body, author, labels = [], state = "open" }: Authored<AddIssueOptions>,
): Issue {
  const issue: Issue = {
    id: world.nextId(),
    number: repository.issues.length + 1,
    title,
    body: body ?? null,
    author,
    labels,
    state,
    atMs: world.now(),
    comments: [],
  };
  repository.issues.push(issue);
  return issue;
}

export function addPullRequest(
  world: World,
  repository: Repository,
  asked: Authored<AddPullRequestOptions> & { readonly isDraft?: boolean },
): Issue {
  const { head, base = repository.defaultBranch, merged = false, isDraft = false } = asked;
  const { files = changedFiles(repository, head) } = asked;
  const diff = asked.diff ?? diffOf(files);
  const pull = { head, base, isDraft, isMerged: merged, diff, files };
  const issue = addIssue(world, repository, {
    ...asked,
    state: asked.state ?? (merged ? "closed" : "open"),
  });
  const opened: Issue = { ...issue, pull };
  repository.issues.splice(-1, 1, opened);
  return opened;
}

export function addWorkflowRun(
  world: World,
  repository: Repository,
  run: AddWorkflowRunOptions,
): { readonly runId: number; readonly jobIds: readonly number[] } {
  const { name, branch = repository.defaultBranch, conclusion } = run;
  const jobs = (run.jobs ?? []).map((job) => ({
    id: world.nextId(),
    name: job.name,
    conclusion: job.conclusion,
    log: job.log,
    steps: job.steps ?? [],
  }));
  const id = world.nextId();
  repository.runs.push({
    id,
    name,
    branch,
    event: run.event ?? "push",
    headSha: run.headSha ?? headOf(repository, branch) ?? "0".repeat(40),
    atMs: run.at?.getTime() ?? world.now(),
    jobs,
    status: conclusion === null ? "in_progress" : "completed",
    conclusion,
    attempt: 1,
  });
  return { runId: id, jobIds: jobs.map((job) => job.id) };
}

export function addDeployment(
  world: World,
  repository: Repository,
  deployment: Authored<AddDeploymentOptions>,
): number {
  const { environment, ref, author, description = "", statuses = [] } = deployment;
  const id = world.nextId();
  repository.deployments.push({
    id,
    environment,
    ref,
    sha: deployment.sha ?? headOf(repository, ref) ?? "0".repeat(40),
    author,
    description,
    atMs: deployment.at?.getTime() ?? world.now(),
    statuses: statuses.map((status) => ({
      id: world.nextId(),
      state: status.state,
      description: status.description ?? "",
    })),
  });
  return id;
}

/** The text of a diff over these files. */
export function diffOf(files: readonly FileChange[]): string {
  return files
    .map(({ filename, patch }) => {
      const names = `--- a/${filename}\n+++ b/${filename}`;
      return `diff --git a/${filename} b/${filename}\n${names}\n${patch}\n`;
    })
    .join("");
}

function changedFiles(repository: Repository, head: string): readonly FileChange[] {
  const onBase = new Set(commitsOf(repository, headOf(repository)));
  const own = commitsOf(repository, repository.branches.get(head));
  return own.filter((commit) => !onBase.has(commit)).flatMap(({ files }) => files);
}
