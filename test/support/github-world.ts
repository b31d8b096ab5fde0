import type { App } from "#app";
import { startFakeClerk, type FakeClerk } from "../fakes/clerk/index.ts";
import { startFakeGitHub, type FakeGitHub } from "../fakes/github/index.ts";
import { aConnector, follow, type Connector } from "./connecting.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { anOrganization } from "./directory.ts";
import type { ServiceSpec } from "./service-config.ts";
import { aHome, startService } from "./service.ts";

/** The service, a GitHub, and people: Ana and Bob of Acme, Ben of Beta. At GitHub, Ana owns acme. */
export interface GitHubWorld extends AsyncDisposable {
  readonly github: FakeGitHub;
  readonly clerk: FakeClerk;
  readonly database: TestDatabase;
  readonly service: App;
  readonly ana: Connector;
  readonly bob: Connector;
  readonly ben: Connector;
  /** What the service was told, to start another. */
  readonly spec: ServiceSpec;
  /** A new organization at GitHub that Ana owns, with one repository "<login>/payments". */
  anAccount(): string;
  /** Begins, installs the app on the account, and comes back. */
  connect(
    who: Connector,
    account: string,
    options?: { readonly login?: string; readonly label?: string },
  ): Promise<Awaited<ReturnType<typeof follow>>>;
}

export interface GitHubWorldOptions {
  readonly webhookSecrets?: (github: FakeGitHub) => readonly string[];
  readonly pageSizeMax?: number;
}

export async function startGitHubWorld(options: GitHubWorldOptions = {}): Promise<GitHubWorld> {
  await using opened = new AsyncDisposableStack();
  const { pageSizeMax = 100, webhookSecrets } = options;
  const github = opened.use(await startFakeGitHub({ pageSizeMax }));
  const clerk = opened.use(await startFakeClerk());
  const database = opened.use(await createTestDatabase());
  const home = opened.use(aHome());
  const spec: ServiceSpec = {
    databaseUrl: database.url,
    home: home.path,
    clerk: { ...clerk, webhookSecrets: [clerk.webhookSecret] },
    github: { ...github, webhookSecrets: webhookSecrets?.(github) ?? [github.webhookSecret] },
  };
  const service = opened.use(await startService(spec));
  github.setCallbackUrl(`${service.addresses.http}/integrations/callback/github`);
  const acme = { id: "org_a", name: "Acme" };
  await anOrganization(service, clerk, acme, { ana: "org:admin", bob: "org:admin" });
  await anOrganization(service, clerk, { id: "org_b", name: "Beta" }, { ben: "org:admin" });
  let accounts = 0;
  const running = opened.move();
  return {
    github,
    clerk,
    database,
    service,
    spec,
    ana: aConnector(service, () => clerk.mint({ sub: "user_ana", org_id: "org_a" })),
    bob: aConnector(service, () => clerk.mint({ sub: "user_bob", org_id: "org_a" })),
    ben: aConnector(service, () => clerk.mint({ sub: "user_ben", org_id: "org_b" })),
    anAccount() {
      accounts += 1;
      const { login } = github.addOrganization(`acme-${accounts}`, { ana: "admin" });
      github.addRepository(`${login}/payments`);
      return login;
    },
    async connect(who, account, { login = "ana", label } = {}) {
      const { url, cookie } = await who.authorize("github", label);
      return follow(github.approve(url, { login, account }), cookie);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
