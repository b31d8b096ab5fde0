import { type Route, numberParameter, parameter, userRoute } from "../call.ts";
import { suspended } from "../caller.ts";
import type { Core } from "../core.ts";
import { countedAnswer } from "../pages.ts";
import { grants } from "../permissions.ts";
import type { Account, Installation } from "../records.ts";
import { notAccessible, notFound } from "../refusal.ts";
import { wireAccount, wireInstallation, wireRepository, wireRole } from "../wire.ts";
import { roleIn } from "../world.ts";

/** What a signed-in person sees through the App. */
export const USER_ROUTES: readonly Route[] = [
  userRoute("GET /user", ({ core, caller }) => {
    const { login } = caller.user;
    return { status: 200, body: { ...wireAccount(core, caller.user), name: login, email: null } };
  }),
  userRoute("GET /user/installations", (call) => {
    const { core, caller } = call;
    const seen = [...core.world.installations.values()].filter((each) => {
      return isSeenBy(core, each, caller.user);
    });
    return countedAnswer(call, "installations", seen, (each) => wireInstallation(core, each));
  }),
  userRoute("GET /user/installations/{installation_id}/repositories", (call) => {
    const { core, caller } = call;
    const id = numberParameter(call, "installation_id");
    const installation = core.world.installations.get(id);
    if (!installation || !isSeenBy(core, installation, caller.user)) throw notFound();
    if (installation.suspendedAtMs !== undefined) throw suspended();
    const seen = core.world
      .repositoriesOf(installation)
      .filter((each) => roleIn(each, caller.user) !== undefined);
    return countedAnswer(call, "repositories", seen, (each) => ({
      ...wireRepository(core, each),
      permissions: wireRole(roleIn(each, caller.user)),
    }));
  }),
  userRoute("GET /user/memberships/orgs/{org}", (call) => {
    const { core, caller } = call;
    const organization = core.world.findAccount(parameter(call, "org"));
    if (organization?.type !== "Organization") throw notFound();
    const installation = core.world.findInstallationOn(organization);
    const isActive = installation?.suspendedAtMs === undefined;
    if (!installation || !isActive || !grants(installation.permissions, "members:read")) {
      throw notAccessible();
    }
    const role = organization.people.get(caller.user.login.toLowerCase());
    if (role === undefined) throw notFound();
    return {
      status: 200,
      body: {
        url: `${core.apiUrl}/orgs/${organization.login}/memberships/${caller.user.login}`,
        state: "active",
        role,
        organization_url: `${core.apiUrl}/orgs/${organization.login}`,
        organization: wireAccount(core, organization),
        user: wireAccount(core, caller.user),
      },
    };
  }),
];

function isSeenBy({ world }: Core, installation: Installation, user: Account): boolean {
  const { account } = installation;
  if (account === user || account.people.has(user.login.toLowerCase())) return true;
  return world.repositoriesOf(installation).some((each) => roleIn(each, user) !== undefined);
}
