import { type Answer, type Route, numberParameter, query } from "../call.ts";
import { addIssue } from "../add-data.ts";
import { isObject, textOf } from "../json.ts";
import { listAnswer } from "../pages.ts";
import type { Issue } from "../records.ts";
import { invalid, notFound } from "../refusal.ts";
import { type RepositoryCall, assertGranted, repositoryRoute } from "../repository-call.ts";
import { wireComment, wireIssue } from "../wire-issue.ts";

/** Issues, and the comments of issues and pull requests. */
export const ISSUE_ROUTES: readonly Route[] = [
  repositoryRoute("GET /repos/{owner}/{repo}/issues", "issues:read", (call) => {
    const state = query(call, "state") ?? "open";
    const labels = query(call, "labels")?.split(",") ?? [];
    const found = call.repository.issues
      .filter((issue) => state === "all" || issue.state === state)
      .filter((issue) => labels.every((label) => issue.labels.includes(label)));
    return listAnswer(call, found.toReversed(), (issue) => wireIssue(call, issue));
  }),
  repositoryRoute("GET /repos/{owner}/{repo}/issues/{issue_number}", undefined, (call) => {
    return { status: 200, body: wireIssue(call, getIssue(call, "read")) };
  }),
  repositoryRoute("POST /repos/{owner}/{repo}/issues", "issues:write", createIssue),
  repositoryRoute("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", undefined, (call) => {
    const issue = getIssue(call, "read");
    return listAnswer(call, issue.comments, (each) => wireComment(call, issue, each));
  }),
  repositoryRoute(
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    undefined,
    (call) => {
      const { core } = call;
      const issue = getIssue(call, "write");
      const body = textOf(call.body["body"]);
      if (body === undefined) {
        throw invalid({ resource: "IssueComment", field: "body", code: "missing_field" });
      }
      const author = core.app.botLogin;
      const comment = { id: core.world.nextId(), author, body, atMs: core.world.now() };
      issue.comments.push(comment);
      return { status: 201, body: wireComment(call, issue, comment) };
    },
  ),
];

/** An issue, or a pull request where that permission is enough. */
function getIssue(call: RepositoryCall, access: "read" | "write"): Issue {
  const number = numberParameter(call, "issue_number");
  const issue = call.repository.issues.find((each) => each.number === number);
  const forPulls = issue?.pull ? ([`pull_requests:${access}`] as const) : [];
  assertGranted(call, `issues:${access}`, ...forPulls);
  if (!issue) throw notFound();
  return issue;
}

function createIssue(call: RepositoryCall): Answer {
  const { core, repository, body } = call;
  const title = textOf(body["title"]);
  if (title === undefined) {
    throw invalid({ resource: "Issue", field: "title", code: "missing_field" });
  }
  const text = textOf(body["body"]);
  const issue = addIssue(core.world, repository, {
    title,
    author: core.app.botLogin,
    labels: readLabels(body["labels"]),
    ...(text === undefined ? {} : { body: text }),
  });
  const wired = wireIssue(call, issue);
  return { status: 201, body: wired, headers: { location: String(wired["url"]) } };
}

function readLabels(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.map((label: unknown) => String(isObject(label) ? label["name"] : label));
}
