import type { Api } from "./api.ts";
import type { Browser } from "./browser.ts";
import type { Core } from "./core.ts";
import { addCommit, addDeployment, addIssue, addPullRequest, addWorkflowRun } from "./add-data.ts";
import type { FakeGitHub } from "./fake-github.ts";
import type { InstallationFacts } from "./model.ts";
import { routeNamed } from "./route-table.ts";
import { signWebhook } from "./sign-webhook.ts";
import { type World, fullNameOf } from "./world.ts";

interface Assembly {
  readonly core: Core;
  readonly api: Api;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** Binds the parts to the handle that tests hold. */
export function makeFakeGitHub(assembly: Assembly): FakeGitHub {
  const { core } = assembly;
  return {
    apiUrl: core.apiUrl,
    webUrl: core.webUrl,
    ...identityOf(core),
    secrets: () => secretsOf(core),
    ...populationOf(core),
    ...installingOf(assembly),
    ...webhooksOf(core),
    ...watchingOf(assembly),
    [Symbol.asyncDispose]: () => assembly.close(),
  };
}

function secretsOf({ app, credentials }: Core): readonly string[] {
  const { clientSecret, webhookSecret, privateKey, privateKeyPkcs8 } = app;
  return [clientSecret, webhookSecret, privateKey, privateKeyPkcs8, ...credentials.issued];
}

function identityOf({ app }: Core) {
  const { appId, appSlug, clientId, clientSecret, webhookSecret, privateKey, privateKeyPkcs8 } =
    app;
  return { appId, appSlug, clientId, clientSecret, webhookSecret, privateKey, privateKeyPkcs8 };
}

function populationOf({ world, app }: Core) {
  return {
    addUser: (login) => idAndLogin(world.addUser(login)),
    addOrganization: (login, people, options) =>
      idAndLogin(world.addOrganization(login, people, options)),
    addRepository(fullName, options) {
      const repository = world.addRepository(fullName, options);
      return { id: repository.id, fullName: fullNameOf(repository) };
    },
    renameRepository: (from, to) => world.rename(from, to),
    writeFiles(fullName, files) {
      const repository = world.getRepository(fullName);
      for (const [path, text] of Object.entries(files)) repository.files.set(path, text);
    },
    addCommit: (fullName, commit) =>
      addCommit(world, world.getRepository(fullName), { author: app.botLogin, ...commit }),
    addPullRequest: (fullName, pullRequest) =>
      addPullRequest(world, world.getRepository(fullName), {
        author: app.botLogin,
        ...pullRequest,
      }).number,
    addIssue: (fullName, issue) =>
      addIssue(world, world.getRepository(fullName), { author: app.botLogin, ...issue }).number,
    addWorkflowRun: (fullName, run) => addWorkflowRun(world, world.getRepository(fullName), run),
    addDeployment: (fullName, deployment) =>
      addDeployment(world, world.getRepository(fullName), { author: app.botLogin, ...deployment }),
  } satisfies Partial<FakeGitHub>;
}

function installingOf({ core: { world, installations }, browser }: Assembly) {
  return {
    install: (login, options) => installations.install(world.getAccount(login), options).id,
    setCallbackUrl(url) {
      browser.callbackUrl = url;
    },
    approve: (url, as) => browser.approve(url, as),
    cancel: (url) => browser.cancel(url),
    suspend: (id) => installations.suspend(world.getInstallation(id)),
    unsuspend: (id) => installations.unsuspend(world.getInstallation(id)),
    uninstall: (id) => installations.uninstall(world.getInstallation(id)),
    addToInstallation: (id, names) => installations.add(world.getInstallation(id), names),
    removeFromInstallation: (id, names) => installations.remove(world.getInstallation(id), names),
    acceptPermissions: (id, permissions) =>
      installations.acceptPermissions(world.getInstallation(id), permissions),
    installation: (id) => factsOf(world, id),
  } satisfies Partial<FakeGitHub>;
}

function webhooksOf({ app, world, deliveries, installations }: Core) {
  return {
    setReceiver(url) {
      deliveries.receiver = url;
    },
    send(event, payload, { installationId, ...options } = {}) {
      if (installationId === undefined) return deliveries.send(event, payload, options);
      const installation = world.installations.get(installationId);
      const missing = {
        installation: { id: installationId },
        ...(installation ? { sender: installations.sender(installation) } : {}),
      };
      return deliveries.send(event, { ...missing, ...payload }, options);
    },
    sign: (body, options) => signWebhook(app, body, options),
    async redeliver(guid) {
      const delivery = deliveries.list().find((each) => each.guid === guid);
      if (!delivery) throw new Error(`GitHub does not remember a delivery ${guid}`);
      return deliveries.sendAgain(delivery);
    },
    settled: () => deliveries.settled(),
  } satisfies Partial<FakeGitHub>;
}

function watchingOf({ core, api }: Assembly) {
  const { world } = core;
  function calls(route: string) {
    const isNamed = routeNamed(route);
    return api.calls.filter((call) => isNamed(call.route));
  }
  return {
    fail: (route, fault, { times } = {}) => api.faults.plan(routeNamed(route), fault, times),
    clearFaults: () => api.faults.clear(),
    calls,
    async waitForCalls(route, count, options) {
      await world.change.until(
        `${count} calls of ${route}`,
        () => (calls(route).length >= count ? true : undefined),
        () =>
          `last calls:\n  ${api.calls
            .slice(-15)
            .map((each) => each.route)
            .join("\n  ")}`,
        options,
      );
    },
    tokenRequests: () => [...core.tokenRequests],
    changes: () => api.changes,
    issues: (fullName) =>
      world.getRepository(fullName).issues.map((each) => ({
        number: each.number,
        title: each.title,
        body: each.body,
        labels: each.labels,
        isPullRequest: each.pull !== undefined,
        comments: each.comments.map(({ body }) => ({ body })),
      })),
    reruns: (fullName) => [...world.getRepository(fullName).reruns],
  } satisfies Partial<FakeGitHub>;
}

function factsOf(world: World, id: number): InstallationFacts | undefined {
  const installation = world.installations.get(id);
  if (!installation) return undefined;
  return {
    id,
    account: installation.account.login,
    suspended: installation.suspendedAtMs !== undefined,
    permissions: installation.permissions,
    repositories: world.repositoriesOf(installation).map(fullNameOf),
  };
}

function idAndLogin({ id, login }: { readonly id: number; readonly login: string }) {
  return { id, login };
}
