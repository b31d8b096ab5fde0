import { type Answer, type Route, accepts, parameter, query } from "../call.ts";
import { diffOf } from "../add-data.ts";
import { commitsOf, findCommit, headOf } from "../history.ts";
import type { FileChange } from "../model.ts";
import { listAnswer, pageOf } from "../pages.ts";
import type { Commit } from "../records.ts";
import { Refusal, notFound } from "../refusal.ts";
import { type RepositoryCall, repositoryRoute } from "../repository-call.ts";
import { wireChanges, wireCommit } from "../wire-commit.ts";
import { fullNameOf } from "../world.ts";

/** What changed, and when. */
export const COMMIT_ROUTES: readonly Route[] = [
  repositoryRoute("GET /repos/{owner}/{repo}/commits", "contents:read", (call) => {
    const { repository } = call;
    if (repository.commits.size === 0 && repository.files.size === 0) {
      throw new Refusal(409, "Git Repository is empty.");
    }
    const ref = query(call, "sha");
    const head = ref === undefined ? headOf(repository) : findCommit(repository, ref)?.sha;
    if (ref !== undefined && head === undefined) throw notFound();
    const found = commitsOf(repository, head).filter((commit) => isWanted(call, commit));
    return listAnswer(call, found, (commit) => wireCommit(call, commit));
  }),
  repositoryRoute("GET /repos/{owner}/{repo}/commits/{ref}", "contents:read", (call) => {
    const ref = parameter(call, "ref");
    const commit = findCommit(call.repository, ref);
    if (!commit) throw new Refusal(422, `No commit found for SHA: ${ref}`);
    if (accepts(call, "diff")) return diffAnswer(diffOf(commit.files));
    if (accepts(call, "sha")) return { status: 200, text: commit.sha };
    const files = wireChanges(call, commit.files, commit.sha);
    const additions = sum(files.map((file) => file.additions));
    const deletions = sum(files.map((file) => file.deletions));
    const stats = { additions, deletions, total: additions + deletions };
    return { status: 200, body: { ...wireCommit(call, commit), stats, files } };
  }),
  repositoryRoute("GET /repos/{owner}/{repo}/compare/{basehead}", "contents:read", compare),
];

export function diffAnswer(text: string): Answer {
  const headers = { "content-type": "application/vnd.github.diff; charset=utf-8" };
  return { status: 200, text, headers };
}

function isWanted(call: RepositoryCall, { author, atMs, files }: Commit): boolean {
  const [path, by] = [query(call, "path"), query(call, "author")];
  const [since, until] = [query(call, "since"), query(call, "until")];
  if (since !== undefined && atMs < Date.parse(since)) return false;
  if (until !== undefined && atMs > Date.parse(until)) return false;
  if (by !== undefined && by.toLowerCase() !== author.toLowerCase()) return false;
  return (
    path === undefined ||
    files.some(({ filename }) => filename === path || filename.startsWith(`${path}/`))
  );
}

function compare(call: RepositoryCall): Answer {
  const { core, repository } = call;
  const [base = "", head = ""] = parameter(call, "basehead").split("...");
  const from = findCommit(repository, base);
  const to = findCommit(repository, head);
  if (!from || !to) throw notFound();
  const before = commitsOf(repository, from.sha);
  const after = commitsOf(repository, to.sha);
  const ahead = after.filter((commit) => !before.includes(commit)).toReversed();
  const behind = before.filter((commit) => !after.includes(commit));
  const files = mergeChanges(ahead.flatMap((commit) => commit.files));
  if (accepts(call, "diff")) return diffAnswer(diffOf(files));
  const mergeBase = before.find((commit) => after.includes(commit));
  const path = `${fullNameOf(repository)}/compare/${base}...${head}`;
  const { items, headers } = pageOf(call, ahead);
  // https://docs.github.com/rest/commits/commits#compare-two-commits: files come with the first page.
  const isFirst = (query(call, "page") ?? "1") === "1";
  return {
    status: 200,
    headers,
    body: {
      url: `${core.apiUrl}/repos/${path}`,
      html_url: `${core.webUrl}/${path}`,
      base_commit: wireCommit(call, from),
      merge_base_commit: mergeBase ? wireCommit(call, mergeBase) : null,
      status: statusOf(ahead.length, behind.length),
      ahead_by: ahead.length,
      behind_by: behind.length,
      total_commits: ahead.length,
      commits: items.map((commit) => wireCommit(call, commit)),
      files: isFirst ? wireChanges(call, files.slice(0, COMPARED_FILES_MAX), to.sha) : [],
    },
  };
}

const COMPARED_FILES_MAX = 300;

function statusOf(ahead: number, behind: number): string {
  if (ahead === 0) return behind === 0 ? "identical" : "behind";
  return behind === 0 ? "ahead" : "diverged";
}

/** One entry for each file, as a comparison shows them. */
function mergeChanges(changes: readonly FileChange[]): readonly FileChange[] {
  const merged = new Map<string, string[]>();
  for (const { filename, patch } of changes) {
    merged.set(filename, [...(merged.get(filename) ?? []), patch]);
  }
  return [...merged].map(([filename, patches]) => ({ filename, patch: patches.join("\n") }));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
