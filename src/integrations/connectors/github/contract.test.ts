import type { WebhookRequest } from "@infragpt/connector-kit";
import {
  connectorContract,
  type ContractVendor,
  type VendorFault,
} from "@infragpt/connector-kit/contract";
import { startFakeGitHub, type FakeGitHub } from "../../../../test/fakes/github/index.ts";
import { createGitHubConnector } from "./create-connector.ts";
import { configOf, connectionOf } from "./github-testing.ts";

connectorContract("github", startVendor);

const OWNER = "ana";
const ACCOUNT = "acme";
const REPOSITORY = "acme/payments";
const PAGE_SIZE = 20;

async function startVendor(): Promise<ContractVendor> {
  const github = await startFakeGitHub({ pageSizeMax: PAGE_SIZE });
  github.addOrganization(ACCOUNT, { [OWNER]: "admin" });
  const foreign = github.addOrganization("beta", { ben: "admin" });
  const names = Array.from({ length: 2 * PAGE_SIZE + 5 }, (_, index) => `acme/service-${index}`);
  const repositories = [REPOSITORY, ...names].map((name) => github.addRepository(name));
  const inputs = fill(github);
  github.setCallbackUrl("http://localhost:8080/integrations/callback/contract");
  const foreignInstallationId = String(github.install(foreign.login));
  const config = { ...configOf(github), callTimeoutMs: 3_000 };
  const connector = createGitHubConnector(config, { guardedFetch: fetch });

  return {
    connector,
    secrets: () => github.secrets(),
    fail(fault) {
      github.clearFaults();
      if (fault) github.fail("*", toFault(fault), { times: Number.POSITIVE_INFINITY });
    },
    changes: () => github.changes(),
    connect: async () => connectionOf(github.install(ACCOUNT), ACCOUNT),
    authorization: {
      kind: "installation",
      approve(url) {
        const back = new URL(github.approve(url, { login: OWNER, account: ACCOUNT }));
        return {
          code: back.searchParams.get("code") ?? "",
          installationId: back.searchParams.get("installation_id") ?? "",
        };
      },
      foreignInstallationId,
    },
    webhooks: [
      {
        path: "/webhooks/github",
        isTimed: false,
        account: { accountId: "7", accountName: ACCOUNT },
        sign: ({ id }) => signPush(github, id),
      },
    ],
    resourceIds: repositories.map(({ id }) => String(id)),
    inputs,
    [Symbol.asyncDispose]: () => github[Symbol.asyncDispose](),
  };
}

/** Something to read and to change, and an input for each operation. */
function fill(github: FakeGitHub): NonNullable<ContractVendor["inputs"]> {
  const base = github.addCommit(REPOSITORY, { message: "Begin", author: OWNER });
  const files = [{ filename: "pay.ts", patch: "@@ -1 +1 @@\n-old\n+new" }];
  const head = github.addCommit(REPOSITORY, { message: "Fix", branch: "fix", files });
  github.addCommit(REPOSITORY, { message: "Retry", branch: "retry", files });
  github.writeFiles(REPOSITORY, { "src/pay.ts": "throw new Error('card declined')" });
  const number = github.addPullRequest(REPOSITORY, { title: "Fix", head: "fix", author: OWNER });
  const { runId, jobIds } = github.addWorkflowRun(REPOSITORY, {
    name: "CI",
    conclusion: "failure",
    jobs: [{ name: "test", conclusion: "failure", log: "1 failing\n" }],
  });
  github.addDeployment(REPOSITORY, { environment: "production", ref: "main" });
  const repository = REPOSITORY;
  const [job_id] = jobIds;
  return {
    list_repositories: {},
    list_commits: { repository },
    search_code: { query: "declined" },
    get_file: { repository, path: "src/pay.ts" },
    get_commit_diff: { repository, commit: head },
    compare_commits: { repository, base, head },
    list_pull_requests: { repository },
    get_pull_request: { repository, number },
    get_pull_request_diff: { repository, number },
    open_pull_request: { repository, title: "Retry", head: "retry", base: "main" },
    list_workflow_runs: { repository },
    get_workflow_run: { repository, run_id: runId },
    get_workflow_job_log: { repository, job_id },
    rerun_workflow: { repository, run_id: runId },
    list_deployments: { repository },
    create_issue: { repository, title: "Card payments fail" },
    create_comment: { repository, number, body: "Looking at it." },
  };
}

function toFault(fault: VendorFault): Parameters<FakeGitHub["fail"]>[1] {
  switch (fault.kind) {
    case "rate_limited":
      return fault;
    case "server_error":
      return { kind: "http", status: 503 };
    case "hangs":
      return { kind: "hang" };
    case "answer_lost":
      return { kind: "close_after_performing" };
    case "malformed":
      return { kind: "bad_json" };
    case "unauthorized":
      return { kind: "unauthorized" };
  }
}

function signPush(github: FakeGitHub, id: string): WebhookRequest {
  const payload = {
    ref: "refs/heads/main",
    after: "0".repeat(40),
    repository: { id: 1, full_name: REPOSITORY, pushed_at: 1_760_000_000 },
    installation: { id: 7 },
    sender: { id: 2, login: OWNER },
    head_commit: { message: `Fix ${id}` },
  };
  const body = Buffer.from(JSON.stringify(payload));
  const headers = github.sign(body, {
    event: "push",
    guid: `00000000-0000-4000-8000-00000000000${id}`,
  });
  return { path: "/webhooks/github", headers, body, receivedAt: new Date() };
}
