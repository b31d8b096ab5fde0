import { type Answer, type Call, type Route, installationRoute, parameter } from "./call.ts";
import type { Caller } from "./caller.ts";
import { type Need, grants } from "./permissions.ts";
import type { Repository } from "./records.ts";
import { Refusal, notAccessible, notFound } from "./refusal.ts";

/** A call about one repository that the caller may know of. */
export interface RepositoryCall extends Call<Extract<Caller, { kind: "installation" }>> {
  readonly repository: Repository;
}

/**
 * A route below `/repos/{owner}/{repo}`. Without `needs`, knowing the repository is enough; the route may then ask
 * with `assertGranted` for what depends on the thing.
 */
export function repositoryRoute(
  name: string,
  needs: Need | undefined,
  run: (call: RepositoryCall) => Answer,
): Route {
  // Whatever is not a GET leaves something behind.
  const isChange = !name.startsWith("GET ");
  return installationRoute(
    name,
    (call) => {
      const repositoryCall = { ...call, repository: getRepository(call) };
      if (needs !== undefined) assertGranted(repositoryCall, needs);
      const answer = run(repositoryCall);
      const accepted = needs?.replace(":", "=") ?? "metadata=read";
      const headers = { "x-accepted-github-permissions": accepted, ...answer.headers };
      return { ...answer, headers };
    },
    { isChange },
  );
}

/** Throws a 403 unless one of the needs is granted. Everybody reads a public repository. */
export function assertGranted(
  { core, caller, repository }: RepositoryCall,
  ...needs: readonly Need[]
): void {
  if (reaches({ core, caller }, repository)) {
    if (needs.some((need) => grants(caller.permissions, need))) return;
  } else if (needs.some((need) => need.endsWith(":read"))) return;
  throw notAccessible();
}

/** Whether the token is for this repository, not only for what everybody sees. */
export function reaches(
  { core, caller }: Pick<RepositoryCall, "core" | "caller">,
  repository: Repository,
): boolean {
  const isInstalled = core.world.repositoriesOf(caller.installation).includes(repository);
  return isInstalled && (caller.repositoryIds?.has(repository.id) ?? true);
}

export function isKnown(
  call: Pick<RepositoryCall, "core" | "caller">,
  repository: Repository,
): boolean {
  return !repository.isPrivate || reaches(call, repository);
}

function getRepository(call: Call<Extract<Caller, { kind: "installation" }>>): Repository {
  const { core, url } = call;
  const fullName = `${parameter(call, "owner")}/${parameter(call, "repo")}`;
  const repository = core.world.findRepository(fullName);
  if (repository && isKnown(call, repository)) return repository;
  const renamed = repository ? undefined : core.world.findRenamed(fullName);
  if (!renamed || !isKnown(call, renamed)) throw notFound();
  throw moved(`${core.apiUrl}/repositories/${renamed.id}`, call, url);
}

// A write is sent to the new place with its method kept:
// https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
function moved(place: string, { parameters }: Pick<Call, "parameters">, url: URL): Refusal {
  const { owner = "", repo = "" } = parameters;
  const prefix = `/api/v3/repos/${owner}/${repo}`;
  const rest = url.pathname.slice(prefix.length);
  const location = `${place}${rest}${url.search}`;
  return new Refusal(301, "Moved Permanently", { url: location }, { location });
}
