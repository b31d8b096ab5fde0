import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import {
  ConnectorError,
  Secret,
  isRecord,
  type Connection,
  type Connector,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { startFakeGitHub, type FakeGitHub } from "../../../../test/fakes/github/index.ts";
import type { GitHubConfig, GitHubDeps } from "./config.ts";
import { createGitHubConnector } from "./create-connector.ts";

/** The repository that tests speak of. */
export const PAYMENTS = "acme/payments";
const ANSWER_BYTES_MAX = 64 * 1024;

export interface Acme extends AsyncDisposable {
  readonly github: FakeGitHub;
  readonly connector: Connector;
  readonly connection: Connection;
  /** Runs an operation as a caller does: the input is parsed, the answer has at most 64 KiB. */
  run(name: string, input: object): Promise<UntrustedRecord>;
}

interface AcmeOptions {
  readonly fake?: Parameters<typeof startFakeGitHub>[0];
  readonly deps?: Partial<GitHubDeps>;
  readonly config?: (github: FakeGitHub) => Partial<GitHubConfig>;
  readonly install?: Parameters<FakeGitHub["install"]>[1];
  /** Where webhooks go, that of the installation first. */
  readonly receiver?: string;
}

/** A GitHub where the organization acme, which Ana owns, has acme/payments and the app. */
export async function startAcme(options: AcmeOptions = {}): Promise<Acme> {
  const github = await startFakeGitHub(options.fake);
  github.addOrganization("acme", { ana: "admin", bob: "member" });
  github.addRepository(PAYMENTS);
  github.setReceiver(options.receiver);
  const connection = connectionOf(github.install("acme", options.install), "acme");
  const config = { ...configOf(github), ...options.config?.(github) };
  const connector = createGitHubConnector(config, { guardedFetch: fetch, ...options.deps });
  return {
    github,
    connector,
    connection,
    run: (name, input) => run(connector, connection, name, input),
    [Symbol.asyncDispose]: () => github[Symbol.asyncDispose](),
  };
}

export function configOf(github: FakeGitHub): GitHubConfig {
  return {
    appId: github.appId,
    privateKey: new Secret(github.privateKey),
    clientId: github.clientId,
    clientSecret: new Secret(github.clientSecret),
    appSlug: github.appSlug,
    webhookSecrets: [new Secret(github.webhookSecret)],
    apiUrl: github.apiUrl,
    webUrl: github.webUrl,
    callTimeoutMs: 5_000,
  };
}

export function connectionOf(installationId: number, accountName: string): Connection {
  const accountId = String(installationId);
  const metadata = { account_login: accountName, account_type: "Organization" };
  const profile = { accountId, accountName, metadata };
  return { integrationId: "1", accountId, credentials: {}, profile };
}

async function run(
  connector: Connector,
  connection: Connection,
  name: string,
  input: object,
): Promise<UntrustedRecord> {
  const operation = connector.operations?.find((each) => each.name === name);
  assert.ok(operation, `GitHub has no operation ${name}`);
  const signal = AbortSignal.timeout(15_000);
  const answer = await operation.run(connection, operation.input.parse(input), { signal });
  const bytes = Buffer.byteLength(JSON.stringify(answer));
  assert.ok(bytes <= ANSWER_BYTES_MAX, `${name} answers ${bytes} bytes`);
  assert.ok(isRecord(answer), `${name} answers no object`);
  return answer;
}

/** What a call was refused with. */
export async function refusalOf(call: Promise<unknown>): Promise<ConnectorError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(
    outcome instanceof ConnectorError,
    `not refused by a ConnectorError: ${String(outcome)}`,
  );
  return outcome;
}

/** A key of no app. */
export function anotherKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return privateKey.export({ type: "pkcs1", format: "pem" });
}

/** A clock that begins so long ago, and goes when it is told to. */
export function aClock(agoMs = 0): {
  now(): Date;
  nowMs(): number;
  pass(durationMs: number): void;
} {
  // GitHub's times have whole seconds.
  let atMs = Math.floor(Date.now() / 1_000) * 1_000 - agoMs;
  return {
    now: () => new Date(atMs),
    nowMs: () => atMs,
    pass(durationMs) {
      atMs += durationMs;
    },
  };
}
