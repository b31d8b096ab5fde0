import {
  cutText,
  recordIn,
  type InboundSignal,
  type SignalSeverity,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { branchOf, lineIn, linesIn, numberTextIn, timeIn, webUrlIn } from "./payload.ts";

/** What is particular to one kind of event; the rest is the same for all. */
interface Told {
  readonly title: string;
  /** Where it stands, its address and its times are in here. */
  readonly subject: UntrustedRecord;
  /** Which thing it is about, unique within its kind: an id. */
  readonly key: string;
  readonly text?: string;
  readonly severity?: SignalSeverity;
  readonly state?: "open" | "resolved";
  readonly url?: string | undefined;
  readonly occurredAt?: Date | undefined;
  readonly facts: Readonly<Record<string, string | undefined>>;
}

const TEXT_CHARACTERS_MAX = 4_000;

const READERS: Readonly<Record<string, (payload: UntrustedRecord, action: string) => Told>> = {
  push: readPush,
  pull_request: readPullRequest,
  workflow_run: readWorkflowRun,
  deployment: readDeployment,
  deployment_status: readDeploymentStatus,
  issues: readIssue,
  release: readRelease,
};

/** Undefined for events that tell nothing of their own. All text in it is of strangers. */
export function signalOf(event: string, payload: UntrustedRecord): InboundSignal | undefined {
  const read = READERS[event];
  if (!read) return undefined;
  const action = lineIn(payload, "action", 60);
  const told = read(payload, action);
  const repository = recordIn(payload, "repository");
  const name = lineIn(repository, "full_name", 200);
  const repositoryId = numberTextIn(repository, "id") ?? "";
  const sender = recordIn(payload, "sender");
  const url = told.url ?? webUrlIn(told.subject, "html_url") ?? webUrlIn(repository, "html_url");
  return {
    source: "github",
    kind: action === "" ? event : `${event}.${action}`,
    title: cutText(`${name}: ${told.title}`, 300),
    resource: { kind: "repository", id: repositoryId, name },
    occurredAt: told.occurredAt ?? timeIn(told.subject, "updated_at") ?? new Date(0),
    dedupeKey: `${repositoryId}:${told.key}`,
    actor: { id: numberTextIn(sender, "id") ?? "", name: lineIn(sender, "login", 100) },
    facts: factsOf(told.facts),
    ...(told.text && { text: told.text }),
    ...(told.severity && { severity: told.severity }),
    ...(told.state && { state: told.state }),
    ...(url !== undefined && { url }),
  };
}

function factsOf(
  facts: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const known = Object.entries(facts).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "",
  );
  return Object.fromEntries(known.map(([name, value]) => [name, cutText(value, 500)]));
}

function readPush(payload: UntrustedRecord): Told {
  const head = recordIn(payload, "head_commit");
  const ref = lineIn(payload, "ref", 255);
  const branch = branchOf(ref);
  const before = lineIn(payload, "before", 64);
  const after = lineIn(payload, "after", 64);
  const isDeleted = payload["deleted"] === true;
  const message = lineIn(head, "message", 200);
  return {
    title: isDeleted ? `${branch} was deleted` : `push to ${branch}: ${message}`,
    subject: head,
    // A branch may be deleted twice, and be where it was once before.
    key: `push:${ref}:${before}:${after}`,
    text: linesIn(head, "message", TEXT_CHARACTERS_MAX),
    url: webUrlIn(payload, "compare"),
    occurredAt: timeIn(recordIn(payload, "repository"), "pushed_at") ?? timeIn(head, "timestamp"),
    facts: {
      [ref.startsWith("refs/tags/") ? "tag" : "branch"]: branch,
      sha: after,
      forced: String(payload["forced"] === true),
      author: lineIn(recordIn(head, "author"), "username", 100),
    },
  };
}

function readPullRequest(payload: UntrustedRecord, action: string): Told {
  const pull = recordIn(payload, "pull_request");
  const number = numberTextIn(pull, "number") ?? "";
  const isMerged = pull["merged"] === true;
  const what = action === "closed" && isMerged ? "merged" : action.replaceAll("_", " ");
  return {
    title: `pull request #${number} ${what}: ${lineIn(pull, "title", 200)}`,
    subject: pull,
    key: `pull_request:${number}`,
    text: linesIn(pull, "body", TEXT_CHARACTERS_MAX),
    state: pull["state"] === "closed" ? "resolved" : "open",
    facts: {
      number,
      branch: lineIn(recordIn(pull, "head"), "ref", 255),
      base: lineIn(recordIn(pull, "base"), "ref", 255),
      sha: lineIn(recordIn(pull, "head"), "sha", 64),
      author: lineIn(recordIn(pull, "user"), "login", 100),
      merged: String(isMerged),
      draft: String(pull["draft"] === true),
    },
  };
}

/** Conclusions that somebody should look at: https://docs.github.com/rest/actions/workflow-runs (2026-11). */
const FAILED = new Set(["action_required", "failure", "startup_failure", "timed_out"]);

function readWorkflowRun(payload: UntrustedRecord, action: string): Told {
  const run = recordIn(payload, "workflow_run");
  const conclusion = lineIn(run, "conclusion", 60);
  const branch = lineIn(run, "head_branch", 255);
  const isDone = action === "completed";
  const what = isDone ? conclusion || "completed" : action.replaceAll("_", " ");
  return {
    title: `${lineIn(run, "name", 150)} on ${branch}: ${what.replaceAll("_", " ")}`,
    subject: run,
    key: `workflow_run:${numberTextIn(run, "id") ?? ""}`,
    severity: FAILED.has(conclusion) ? "error" : "info",
    state: isDone ? "resolved" : "open",
    facts: {
      run_id: numberTextIn(run, "id"),
      attempt: numberTextIn(run, "run_attempt"),
      workflow: lineIn(run, "name", 150),
      status: lineIn(run, "status", 60),
      conclusion,
      branch,
      sha: lineIn(run, "head_sha", 64),
      event: lineIn(run, "event", 60),
      author: lineIn(recordIn(run, "actor"), "login", 100),
    },
  };
}

function readDeployment(payload: UntrustedRecord): Told {
  const deployment = recordIn(payload, "deployment");
  const environment = lineIn(deployment, "environment", 100);
  const ref = lineIn(deployment, "ref", 255);
  return {
    title: `deployment of ${ref} to ${environment}`,
    subject: deployment,
    key: `deployment:${numberTextIn(deployment, "id") ?? ""}`,
    text: linesIn(deployment, "description", TEXT_CHARACTERS_MAX),
    state: "open",
    facts: deploymentFacts(deployment),
  };
}

const DEPLOYMENT_ENDS = new Set(["error", "failure", "inactive", "success"]);

function readDeploymentStatus(payload: UntrustedRecord): Told {
  const deployment = recordIn(payload, "deployment");
  const status = recordIn(payload, "deployment_status");
  const state = lineIn(status, "state", 60);
  const environment = lineIn(deployment, "environment", 100);
  const ref = lineIn(deployment, "ref", 255);
  return {
    title: `deployment of ${ref} to ${environment}: ${state.replaceAll("_", " ")}`,
    subject: status,
    key: `deployment:${numberTextIn(deployment, "id") ?? ""}`,
    text: linesIn(status, "description", TEXT_CHARACTERS_MAX),
    severity: state === "failure" || state === "error" ? "error" : "info",
    state: DEPLOYMENT_ENDS.has(state) ? "resolved" : "open",
    url: webUrlIn(status, "target_url") ?? webUrlIn(status, "log_url"),
    facts: { ...deploymentFacts(deployment), status: state },
  };
}

function deploymentFacts(
  deployment: UntrustedRecord,
): Readonly<Record<string, string | undefined>> {
  return {
    deployment_id: numberTextIn(deployment, "id"),
    environment: lineIn(deployment, "environment", 100),
    branch: lineIn(deployment, "ref", 255),
    sha: lineIn(deployment, "sha", 64),
    author: lineIn(recordIn(deployment, "creator"), "login", 100),
  };
}

function readIssue(payload: UntrustedRecord, action: string): Told {
  const issue = recordIn(payload, "issue");
  const number = numberTextIn(issue, "number") ?? "";
  return {
    title: `issue #${number} ${action.replaceAll("_", " ")}: ${lineIn(issue, "title", 200)}`,
    subject: issue,
    key: `issue:${number}`,
    text: linesIn(issue, "body", TEXT_CHARACTERS_MAX),
    state: issue["state"] === "closed" ? "resolved" : "open",
    facts: {
      number,
      author: lineIn(recordIn(issue, "user"), "login", 100),
      label: lineIn(recordIn(payload, "label"), "name", 100),
    },
  };
}

function readRelease(payload: UntrustedRecord, action: string): Told {
  const release = recordIn(payload, "release");
  const tag = lineIn(release, "tag_name", 150);
  return {
    title: `release ${lineIn(release, "name", 150) || tag} ${action}`,
    subject: release,
    key: `release:${numberTextIn(release, "id") ?? ""}`,
    text: linesIn(release, "body", TEXT_CHARACTERS_MAX),
    occurredAt: timeIn(release, "published_at") ?? timeIn(release, "created_at"),
    facts: {
      tag,
      prerelease: String(release["prerelease"] === true),
      draft: String(release["draft"] === true),
      author: lineIn(recordIn(release, "author"), "login", 100),
    },
  };
}
