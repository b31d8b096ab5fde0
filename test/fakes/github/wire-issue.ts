import type { JsonObject } from "./model.ts";
import type { Comment, Issue, Pull } from "./records.ts";
import type { RepositoryCall } from "./repository-call.ts";
import { timestamp } from "./timestamps.ts";
import { nodeId, wireActor, wireRepository } from "./wire.ts";
import { hash } from "./wire-commit.ts";
import { fullNameOf } from "./world.ts";

type About = Pick<RepositoryCall, "core" | "repository">;

/** A pull request is an issue too, with `pull_request`. */
export function wireIssue(about: About, issue: Issue): JsonObject {
  const { core, repository } = about;
  const { id, number, pull } = issue;
  const fullName = fullNameOf(repository);
  const url = `${core.apiUrl}/repos/${fullName}/issues/${number}`;
  const pullUrls = {
    url: `${core.apiUrl}/repos/${fullName}/pulls/${number}`,
    html_url: `${core.webUrl}/${fullName}/pull/${number}`,
    merged_at: pull?.isMerged === true ? timestamp(issue.atMs) : null,
  };
  return {
    ...wireCommon(about, issue),
    id,
    node_id: nodeId("I", id),
    url,
    repository_url: `${core.apiUrl}/repos/${fullName}`,
    comments_url: `${url}/comments`,
    html_url: `${core.webUrl}/${fullName}/${pull ? "pull" : "issues"}/${number}`,
    comments: issue.comments.length,
    ...(pull ? { pull_request: pullUrls } : {}),
  };
}

export function wirePull(about: About, issue: Issue, pull: Pull): JsonObject {
  const { core, repository } = about;
  const { id, number } = issue;
  const fullName = fullNameOf(repository);
  const closedAt = timestamp(issue.atMs);
  return {
    ...wireCommon(about, issue),
    id,
    node_id: nodeId("PR", id),
    url: `${core.apiUrl}/repos/${fullName}/pulls/${number}`,
    html_url: `${core.webUrl}/${fullName}/pull/${number}`,
    diff_url: `${core.webUrl}/${fullName}/pull/${number}.diff`,
    issue_url: `${core.apiUrl}/repos/${fullName}/issues/${number}`,
    draft: pull.isDraft,
    merged: pull.isMerged,
    merged_at: pull.isMerged ? closedAt : null,
    mergeable: pull.isMerged ? null : true,
    merge_commit_sha: pull.isMerged ? hash(`merge ${id}`) : null,
    head: wireBranch(about, pull.head),
    base: wireBranch(about, pull.base),
    comments: issue.comments.length,
    changed_files: pull.files.length,
  };
}

export function wireComment(
  { core, repository }: About,
  issue: Issue,
  comment: Comment,
): JsonObject {
  const { id, body, author, atMs } = comment;
  const fullName = fullNameOf(repository);
  const kind = issue.pull ? "pull" : "issues";
  return {
    id,
    node_id: nodeId("IC", id),
    url: `${core.apiUrl}/repos/${fullName}/issues/comments/${id}`,
    html_url: `${core.webUrl}/${fullName}/${kind}/${issue.number}#issuecomment-${id}`,
    issue_url: `${core.apiUrl}/repos/${fullName}/issues/${issue.number}`,
    body,
    user: wireActor(core, author, core.world.findAccount(author)),
    created_at: timestamp(atMs),
    updated_at: timestamp(atMs),
  };
}

function wireCommon({ core }: About, issue: Issue): JsonObject {
  const { number, title, body, state, author, labels, atMs } = issue;
  return {
    number,
    title,
    body,
    state,
    state_reason: null,
    locked: false,
    user: wireActor(core, author, core.world.findAccount(author)),
    labels: labels.map((name) => ({ name, color: "ededed", default: false, description: null })),
    assignee: null,
    assignees: [],
    milestone: null,
    author_association: "NONE",
    created_at: timestamp(atMs),
    updated_at: timestamp(issue.comments.at(-1)?.atMs ?? atMs),
    closed_at: state === "closed" ? timestamp(atMs) : null,
  };
}

function wireBranch({ core, repository }: About, branch: string): JsonObject {
  return {
    label: `${repository.owner.login}:${branch}`,
    ref: branch,
    sha: repository.branches.get(branch) ?? hash(`${repository.id} ${branch}`),
    repo: wireRepository(core, repository),
  };
}
