import { Secret, type Connection, type WebhookRequest } from "@infragpt/connector-kit";
import {
  connectorContract,
  type ContractVendor,
  type VendorFault,
} from "@infragpt/connector-kit/contract";
import { startFakeSlack, type FakeSlack } from "../../../../test/fakes/slack/index.ts";
import { createSlackConnector } from "./create-connector.ts";

connectorContract("slack, with tokens that rotate", () => startVendor({ rotatesTokens: true }));
connectorContract("slack, with tokens that stay", () => startVendor({ rotatesTokens: false }));

const TEAM = "T0CONTRACT";
const REDIRECT_URI = "http://localhost:8080/slack";

async function startVendor(workspace: { rotatesTokens: boolean }): Promise<ContractVendor> {
  const slack = await startFakeSlack();
  const { botToken } = slack.addWorkspace({ teamId: TEAM, ...workspace });
  const connector = createSlackConnector({
    clientId: slack.clientId,
    clientSecret: new Secret(slack.clientSecret),
    signingSecrets: [new Secret(slack.signingSecret)],
    authorizeUrl: slack.authorizeUrl,
    apiUrl: slack.apiUrl,
    transport: "http",
    sockets: 2,
    callTimeoutMs: 3_000,
  });
  const issued: string[] = [botToken];

  async function connect(): Promise<Connection> {
    const { authorization } = connector;
    if (authorization?.kind !== "oauth2") throw new Error("Slack is connected by OAuth.");
    const begun = authorization.begin({ state: "contract", redirectUri: REDIRECT_URI });
    const code = codeIn(slack.approve(begun, { teamId: TEAM }));
    const signal = AbortSignal.timeout(5_000);
    const grant = await authorization.complete({ code, redirectUri: REDIRECT_URI }, { signal });
    issued.push(...Object.values(grant.credentials).map((secret) => secret.reveal()));
    const { credentials, profile } = grant;
    return { integrationId: "1", accountId: profile.accountId, credentials, profile };
  }

  return {
    // Without rotation nothing is refreshed: the facet is there, the refresh token is not.
    connector: workspace.rotatesTokens ? connector : withoutRefresh(connector),
    secrets: () => [slack.clientSecret, slack.signingSecret, ...issued],
    fail(fault) {
      slack.clearFaults();
      if (fault) slack.fail("*", toFault(fault), { times: Number.POSITIVE_INFINITY });
    },
    changes: () => slack.calls("chat.postMessage").length,
    connect,
    authorization: {
      kind: "oauth2",
      approve: (url) => codeIn(slack.approve(url, { teamId: TEAM })),
    },
    webhooks: [
      {
        path: "/slack/events",
        isTimed: true,
        account: { accountId: TEAM, accountName: "Contract", botId: "U0BOT" },
        sign: ({ at, id }) => signEvent(slack, at, id),
      },
    ],
    [Symbol.asyncDispose]: () => slack[Symbol.asyncDispose](),
  };
}

function withoutRefresh(connector: ReturnType<typeof createSlackConnector>) {
  const { refresh: _, ...rest } = connector;
  return rest;
}

function codeIn(address: string): string {
  return new URL(address).searchParams.get("code") ?? "";
}

function toFault(fault: VendorFault): Parameters<FakeSlack["fail"]>[1] {
  switch (fault.kind) {
    case "rate_limited":
      return fault;
    case "server_error":
      return { kind: "http", status: 503 };
    case "hangs":
      return { kind: "hang_before" };
    case "answer_lost":
      return { kind: "close_after_performing" };
    case "malformed":
      return { kind: "bad_json" };
    case "unauthorized":
      return { kind: "error", error: "invalid_auth" };
  }
}

function signEvent(slack: FakeSlack, at: Date, id: string): WebhookRequest {
  const event = { type: "message", channel: "C1", user: "U1", text: "hello", ts: `${id}.000100` };
  const payload = { type: "event_callback", team_id: TEAM, event_id: `Ev${id}`, event };
  const body = JSON.stringify(payload);
  const timestampSeconds = Math.floor(at.getTime() / 1_000);
  const headers = Object.entries(slack.sign(body, { timestampSeconds }));
  return {
    path: "/slack/events",
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body),
    receivedAt: new Date(),
  };
}
