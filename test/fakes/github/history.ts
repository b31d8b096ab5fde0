import type { Commit, Repository } from "./records.ts";

/** The head of a branch; without one, of the default branch. */
export function headOf(
  repository: Repository,
  branch = repository.defaultBranch,
): string | undefined {
  return repository.branches.get(branch);
}

/** The commit that a branch, a sha or the beginning of one names. */
export function findCommit(repository: Repository, ref: string): Commit | undefined {
  const branch = ref.replace(/^(?:refs\/)?heads\//, "");
  const head = repository.branches.get(branch);
  if (head !== undefined) return repository.commits.get(head);
  if (ref === "HEAD") return repository.commits.get(headOf(repository) ?? "");
  const exact = repository.commits.get(ref);
  if (exact || ref.length < 7) return exact;
  return [...repository.commits.values()].find(({ sha }) => sha.startsWith(ref));
}

/** A commit and those before it, newest first. */
export function commitsOf(repository: Repository, sha: string | undefined): readonly Commit[] {
  const history: Commit[] = [];
  let next = sha;
  while (next !== undefined) {
    const commit = repository.commits.get(next);
    if (!commit) break;
    history.push(commit);
    next = commit.parent;
  }
  return history;
}
