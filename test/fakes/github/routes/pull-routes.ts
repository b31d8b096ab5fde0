import { type Answer, type Route, accepts, numberParameter, query } from "../call.ts";
import { addPullRequest } from "../add-data.ts";
import { textOf } from "../json.ts";
import type { JsonObject } from "../model.ts";
import { listAnswer } from "../pages.ts";
import type { Issue, Pull } from "../records.ts";
import { invalid, notFound } from "../refusal.ts";
import { type RepositoryCall, repositoryRoute } from "../repository-call.ts";
import { wireChanges } from "../wire-commit.ts";
import { wirePull } from "../wire-issue.ts";
import { diffAnswer } from "./commit-routes.ts";

type PullRequest = Issue & { readonly pull: Pull };

/** Pull requests. */
export const PULL_ROUTES: readonly Route[] = [
  repositoryRoute("GET /repos/{owner}/{repo}/pulls", "pull_requests:read", (call) => {
    const [state = "open", head, base] = [
      query(call, "state"),
      query(call, "head"),
      query(call, "base"),
    ];
    const found = call.repository.issues
      .filter(isPullRequest)
      .filter((each) => state === "all" || each.state === state)
      .filter(({ pull }) => head === undefined || head === labelOf(call, pull))
      .filter(({ pull }) => base === undefined || base === pull.base);
    return listAnswer(call, found.toReversed(), (each) => wirePull(call, each, each.pull));
  }),
  repositoryRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}", "pull_requests:read", (call) => {
    const found = getPullRequest(call);
    if (accepts(call, "diff")) return diffAnswer(found.pull.diff);
    return { status: 200, body: wirePull(call, found, found.pull) };
  }),
  repositoryRoute(
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/files",
    "pull_requests:read",
    (call) => {
      const { head, files } = getPullRequest(call).pull;
      const sha = call.repository.branches.get(head) ?? head;
      return listAnswer(call, wireChanges(call, files, sha), (file) => file);
    },
  ),
  repositoryRoute("POST /repos/{owner}/{repo}/pulls", "pull_requests:write", createPullRequest),
];

function isPullRequest(issue: Issue): issue is PullRequest {
  return issue.pull !== undefined;
}

function getPullRequest(call: RepositoryCall): PullRequest {
  const number = numberParameter(call, "pull_number");
  const found = call.repository.issues.filter(isPullRequest).find((each) => each.number === number);
  if (!found) throw notFound();
  return found;
}

function labelOf({ repository }: RepositoryCall, { head }: Pull): string {
  return `${repository.owner.login}:${head}`;
}

function createPullRequest(call: RepositoryCall): Answer {
  const { core, repository, body } = call;
  const [title, base, text] = [textOf(body["title"]), textOf(body["base"]), textOf(body["body"])];
  const head = textOf(body["head"])?.replace(`${repository.owner.login}:`, "");
  if (title === undefined) throw wrong({ field: "title", code: "missing_field" });
  if (head === undefined || !repository.branches.has(head)) {
    throw wrong({ field: "head", code: "invalid" });
  }
  const isBranch = base === repository.defaultBranch || repository.branches.has(base ?? "");
  if (base === undefined || !isBranch) throw wrong({ field: "base", code: "invalid" });
  if (repository.branches.get(head) === repository.branches.get(base)) {
    throw wrong({ code: "custom", message: `No commits between ${base} and ${head}` });
  }
  const others = repository.issues.filter(isPullRequest).filter(({ state }) => state === "open");
  if (others.some(({ pull }) => pull.head === head && pull.base === base)) {
    const label = `${repository.owner.login}:${head}`;
    throw wrong({ code: "custom", message: `A pull request already exists for ${label}.` });
  }
  const created = addPullRequest(core.world, repository, {
    title,
    head,
    base,
    author: core.app.botLogin,
    isDraft: body["draft"] === true,
    ...(text === undefined ? {} : { body: text }),
  });
  if (!isPullRequest(created)) throw new Error("a new pull request is none");
  const wired = wirePull(call, created, created.pull);
  return { status: 201, body: wired, headers: { location: String(wired["url"]) } };
}

function wrong(error: JsonObject) {
  return invalid({ resource: "PullRequest", ...error });
}
