import type { Installations, InstallationsDeps } from "./installations.ts";
import type { Approval } from "./model.ts";
import type { Account } from "./records.ts";

/** What a signed-in person's browser does at GitHub's pages. */
export class Browser {
  callbackUrl: string | undefined;
  readonly #deps: InstallationsDeps;
  readonly #installations: Installations;

  constructor(deps: InstallationsDeps, installations: Installations) {
    this.#deps = deps;
    this.#installations = installations;
  }

  approve(url: string, as: Approval): string {
    const asked = new URL(url);
    const person = this.#deps.world.getAccount(as.login);
    return this.#isInstallPage(asked)
      ? this.#install(asked, person, as)
      : this.#authorize(asked, person);
  }

  cancel(url: string): string {
    const asked = new URL(url);
    const target = this.#isInstallPage(asked) ? this.#callback() : this.#redirectUri(asked);
    return back(target, asked, {
      error: "access_denied",
      error_description: "The user has denied your application access.",
      error_uri: `${this.#deps.webUrl}/docs/troubleshooting-authorization-request-errors`,
    });
  }

  #install(asked: URL, person: Account, as: Approval): string {
    const { world, credentials } = this.#deps;
    const account = world.getAccount(as.account ?? as.login);
    const isOwner = account === person;
    const role = account.people.get(person.login.toLowerCase());
    if (!isOwner && role === undefined) {
      throw new Error(`GitHub does not offer ${account.login} to ${person.login}`);
    }
    const existing = world.findInstallationOn(account);
    if (existing) {
      throw new Error(
        `GitHub shows installation ${existing.id} of ${account.login} and sends nobody back`,
      );
    }
    const target = this.#callback();
    const code = credentials.issueCode(person, target);
    if (!isOwner && role !== "admin") return back(target, asked, { code, setup_action: "request" });
    const { id } = this.#installations.install(account, { ...as, by: person.login });
    return back(target, asked, { code, installation_id: String(id), setup_action: "install" });
  }

  #authorize(asked: URL, person: Account): string {
    const target = this.#redirectUri(asked);
    const challenge = asked.searchParams.get("code_challenge") ?? undefined;
    const code = this.#deps.credentials.issueCode(person, target, challenge);
    return back(target, asked, { code });
  }

  #isInstallPage({ origin, pathname, searchParams }: URL): boolean {
    const { app, webUrl } = this.#deps;
    if (origin !== webUrl) throw new Error(`${origin} is not this GitHub, which is ${webUrl}`);
    if (pathname === "/login/oauth/authorize") {
      if (searchParams.get("client_id") !== app.clientId) throw new Error("unknown client_id");
      return false;
    }
    // GitHub Enterprise Server says github-apps where github.com says apps.
    const page = /^\/(?:github-)?apps\/([^/]+)\/installations\/(?:new|select_target)$/.exec(
      pathname,
    );
    if (page?.[1] !== app.appSlug) throw new Error(`GitHub has no page ${pathname}`);
    return true;
  }

  #callback(): string {
    if (this.callbackUrl === undefined) throw new Error("the App has no callback URL: set one");
    return this.callbackUrl;
  }

  #redirectUri({ searchParams }: URL): string {
    const asked = searchParams.get("redirect_uri") ?? this.#callback();
    if (this.callbackUrl !== undefined && !isBelow(asked, this.callbackUrl)) {
      throw new Error(`GitHub refuses redirect_uri ${asked}: it is not a callback URL of the App`);
    }
    return asked;
  }
}

/** Same origin, and the registered path or one below it. */
export function isBelow(redirectUri: string, registered: string): boolean {
  const asked = new URL(redirectUri);
  const allowed = new URL(registered);
  const directory = allowed.pathname.endsWith("/") ? allowed.pathname : `${allowed.pathname}/`;
  const isWithin = asked.pathname === allowed.pathname || asked.pathname.startsWith(directory);
  return asked.origin === allowed.origin && isWithin;
}

function back(target: string, asked: URL, parameters: Readonly<Record<string, string>>): string {
  const url = new URL(target);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const state = asked.searchParams.get("state");
  if (state !== null) url.searchParams.set("state", state);
  return url.href;
}
