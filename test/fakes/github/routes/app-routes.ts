import { type Call, type Route, appRoute, numberParameter, query } from "../call.ts";
import { suspended } from "../caller.ts";
import { isObject } from "../json.ts";
import type { Permissions } from "../model.ts";
import { listAnswer } from "../pages.ts";
import { covers } from "../permissions.ts";
import type { Account, Installation, Repository } from "../records.ts";
import { Refusal, notFound } from "../refusal.ts";
import { timestamp } from "../timestamps.ts";
import { nodeId, wireInstallation, wireRepository } from "../wire.ts";

/** What the App does as itself. */
export const APP_ROUTES: readonly Route[] = [
  appRoute("GET /app", ({ core }) => {
    const { app, webUrl } = core;
    return {
      status: 200,
      body: {
        id: Number(app.appId),
        client_id: app.clientId,
        slug: app.appSlug,
        node_id: nodeId("A", Number(app.appId)),
        name: app.appSlug,
        html_url: `${webUrl}/apps/${app.appSlug}`,
        permissions: app.permissions,
        events: app.events,
        installations_count: core.world.installations.size,
      },
    };
  }),
  appRoute("GET /app/installations", (call) => {
    const { core } = call;
    const since = Date.parse(query(call, "since") ?? "1970-01-01T00:00:00Z");
    const all = [...core.world.installations.values()];
    const changed = all.filter(({ updatedAtMs }) => updatedAtMs >= since);
    return listAnswer(call, changed, (each) => wireInstallation(core, each));
  }),
  appRoute("GET /app/installations/{installation_id}", (call) => {
    return { status: 200, body: wireInstallation(call.core, findInstallation(call)) };
  }),
  appRoute(
    "DELETE /app/installations/{installation_id}",
    (call) => {
      void call.core.installations.uninstall(findInstallation(call));
      return { status: 204 };
    },
    { isChange: true },
  ),
  appRoute(
    "PUT /app/installations/{installation_id}/suspended",
    (call) => {
      void call.core.installations.suspend(findInstallation(call));
      return { status: 204 };
    },
    { isChange: true },
  ),
  appRoute(
    "DELETE /app/installations/{installation_id}/suspended",
    (call) => {
      void call.core.installations.unsuspend(findInstallation(call));
      return { status: 204 };
    },
    { isChange: true },
  ),
  appRoute("POST /app/installations/{installation_id}/access_tokens", createToken),
  appRoute("GET /repos/{owner}/{repo}/installation", (call) => {
    const { owner = "", repo = "" } = call.parameters;
    const repository = call.core.world.findRepository(`${owner}/${repo}`);
    return installationOn(call, repository?.owner, repository);
  }),
  appRoute("GET /orgs/{org}/installation", (call) => {
    return installationOn(call, call.core.world.findAccount(call.parameters["org"] ?? ""));
  }),
  appRoute("GET /users/{username}/installation", (call) => {
    return installationOn(call, call.core.world.findAccount(call.parameters["username"] ?? ""));
  }),
];

function findInstallation(call: Call): Installation {
  const id = numberParameter(call, "installation_id");
  const installation = call.core.world.installations.get(id);
  if (!installation) throw notFound();
  return installation;
}

function installationOn({ core }: Call, account: Account | undefined, reaching?: Repository) {
  const installation = account && core.world.findInstallationOn(account);
  if (!installation) throw notFound();
  const isReached = !reaching || core.world.repositoriesOf(installation).includes(reaching);
  if (!isReached) throw notFound();
  return { status: 200, body: wireInstallation(core, installation) };
}

function createToken(call: Call) {
  const { core, body } = call;
  const id = numberParameter(call, "installation_id");
  const names = Array.isArray(body["repositories"]) ? body["repositories"].map(String) : undefined;
  const ids = Array.isArray(body["repository_ids"])
    ? body["repository_ids"].map(Number)
    : undefined;
  const asked = readPermissions(body["permissions"]);
  core.tokenRequests.push({
    installationId: id,
    ...(names ? { repositories: names } : {}),
    ...(ids ? { repositoryIds: ids } : {}),
    ...(asked ? { permissions: asked } : {}),
  });
  const installation = findInstallation(call);
  if (installation.suspendedAtMs !== undefined) throw suspended();
  if (asked && !covers(installation.permissions, asked)) {
    throw new Refusal(422, "The permissions requested are not granted to this installation.");
  }
  const chosen = narrow(call, installation, names ?? [], ids ?? []);
  const issued = core.credentials.issueInstallationToken({
    installation,
    permissions: asked ? { metadata: "read", ...asked } : installation.permissions,
    repositoryIds: chosen && new Set(chosen.map((each) => each.id)),
  });
  return {
    status: 201,
    body: {
      token: issued.token,
      expires_at: timestamp(issued.expiresAtMs),
      permissions: issued.permissions,
      repository_selection: chosen ? "selected" : installation.selection,
      ...(chosen ? { repositories: chosen.map((each) => wireRepository(core, each)) } : {}),
    },
  };
}

/** The repositories that a token is narrowed to; naming none does not narrow. */
function narrow(
  { core }: Call,
  installation: Installation,
  names: readonly string[],
  ids: readonly number[],
): readonly Repository[] | undefined {
  if (names.length === 0 && ids.length === 0) return undefined;
  const reached = core.world.repositoriesOf(installation);
  const found = [
    ...names.map((name) => reached.find((each) => isCalled(each, name))),
    ...ids.map((id) => reached.find((each) => each.id === id)),
  ].filter((each) => each !== undefined);
  if (found.length < names.length + ids.length) {
    throw new Refusal(
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
    );
  }
  return [...new Set(found)];
}

function isCalled({ name }: Repository, asked: string): boolean {
  return name.toLowerCase() === asked.toLowerCase();
}

function readPermissions(value: unknown): Permissions | undefined {
  if (!isObject(value)) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, level]) => [name, String(level)]));
}
