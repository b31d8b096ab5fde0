import { ConnectorError } from "@infragpt/connector-kit";
import { nextPageIn } from "./calls.ts";
import type { GitHubRequest } from "./client.ts";
import type { Installation } from "./installation.ts";

type Account = NonNullable<Installation["account"]>;

/** An installation as the person sees it. */
export interface SeenInstallation {
  readonly id: string;
  readonly account: Account;
}

const PAGES_MAX = 20;
/** Each costs a call that asks who owns it. */
const ASKED_MAX = 20;

/** The installation of this id, if the person can see it; whether it is theirs is another question. */
export async function findSeen(
  request: GitHubRequest,
  installationId: string,
): Promise<SeenInstallation | undefined> {
  for await (const seen of listSeen(request)) {
    if (seen.id === installationId) return seen;
  }
  return undefined;
}

/** The one installation that is the person's to connect. Throws ConnectorError where there is none or a choice. */
export async function getOnlyOwned(
  request: GitHubRequest,
  personId: string,
): Promise<SeenInstallation> {
  const owned: SeenInstallation[] = [];
  let asked = 0;
  for await (const seen of listSeen(request)) {
    asked += 1;
    if (asked > ASKED_MAX) break;
    if (await isOwner(request, seen.account, personId)) owned.push(seen);
  }
  const [only, another] = owned;
  if (only && !another) return only;
  const names = owned.map(({ account }) => nameOf(account)).join(", ");
  const message = only
    ? `the GitHub App is installed on several accounts of yours (${names}): uninstall it where you want to connect it, and connect it again`
    : "the GitHub App is installed on no account that you own: install it first, or ask an owner to do so";
  throw new ConnectorError("rejected", message);
}

/** Throws ConnectorError unless the account is the person's own, or an organization that they own. */
export async function assertOwns(
  request: GitHubRequest,
  account: Account,
  personId: string,
): Promise<void> {
  if (await isOwner(request, account, personId)) return;
  const message = `only an owner of ${nameOf(account)} can connect it: ask one of them to do so`;
  throw new ConnectorError("rejected", message);
}

async function isOwner(
  request: GitHubRequest,
  account: Account,
  personId: string,
): Promise<boolean> {
  if (String(account.id) === personId) return true;
  // An enterprise has no login: who owns it is not told.
  if (!("login" in account)) return false;
  const membership = await findMembership(request, account.login);
  return membership?.state === "active" && membership.role === "admin";
}

async function* listSeen(request: GitHubRequest): AsyncIterable<SeenInstallation> {
  let page: number | undefined = 1;
  for (let count = 0; page !== undefined && count < PAGES_MAX; count += 1) {
    const { data, headers } = await request("GET /user/installations", { per_page: 100, page });
    for (const { id, account } of data.installations) {
      if (account) yield { id: String(id), account };
    }
    page = nextPageIn(headers);
  }
}

async function findMembership(request: GitHubRequest, org: string) {
  try {
    const { data } = await request("GET /user/memberships/orgs/{org}", { org });
    return data;
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    if (error.vendorCode === "http_404") return undefined;
    if (error.kind !== "missing_permission") throw error;
    const message =
      "the GitHub App cannot see who owns the organization: " +
      "give it the organization permission Members (read) and accept it there";
    throw new ConnectorError("missing_permission", message);
  }
}

function nameOf(account: Account): string {
  return "login" in account ? account.login : account.slug;
}
