import { type Route, installationRoute } from "../call.ts";
import { pageOf } from "../pages.ts";
import { grants } from "../permissions.ts";
import { reaches, repositoryRoute } from "../repository-call.ts";
import { wireRepository, wireRole } from "../wire.ts";

/** What an installation token reaches. */
export const INSTALLATION_ROUTES: readonly Route[] = [
  installationRoute("GET /installation/repositories", (call) => {
    const { core, caller } = call;
    const all = core.world
      .repositoriesOf(caller.installation)
      .filter((each) => reaches(call, each));
    const { items, headers } = pageOf(call, all);
    const isNarrowed = caller.repositoryIds !== undefined;
    const role = grants(caller.permissions, "contents:write") ? "write" : "read";
    return {
      status: 200,
      headers,
      body: {
        total_count: all.length,
        repository_selection: isNarrowed ? "selected" : caller.installation.selection,
        repositories: items.map((each) => ({
          ...wireRepository(core, each),
          permissions: wireRole(role),
        })),
      },
    };
  }),
  installationRoute("DELETE /installation/token", ({ core, caller }) => {
    core.credentials.revokeInstallationToken(caller.token);
    return { status: 204 };
  }),
  installationRoute("GET /rate_limit", ({ core }) => {
    const reset = Math.ceil(core.world.now() / 1_000) + 3_600;
    const rate = { limit: 5_000, remaining: 5_000, reset, used: 0, resource: "core" };
    return { status: 200, body: { resources: { core: rate }, rate } };
  }),
  repositoryRoute("GET /repos/{owner}/{repo}", "metadata:read", (call) => {
    const { core, caller, repository } = call;
    const canPush = reaches(call, repository) && grants(caller.permissions, "contents:write");
    return {
      status: 200,
      body: {
        ...wireRepository(core, repository),
        permissions: wireRole(canPush ? "write" : "read"),
      },
    };
  }),
];
