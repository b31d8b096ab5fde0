import type { AppIdentity } from "./app-identity.ts";
import type { Credentials } from "./credentials.ts";
import type { Deliveries } from "./deliveries.ts";
import type { InstallOptions, JsonObject, Permissions, SentDelivery } from "./model.ts";
import type { Account, Installation, Repository } from "./records.ts";
import { webhookTimestamp } from "./timestamps.ts";
import { wireAccount, wireActor, wireInstallation, wireRepositoryName } from "./wire.ts";
import { type World, fullNameOf } from "./world.ts";

export interface InstallationsDeps {
  readonly app: AppIdentity;
  readonly world: World;
  readonly credentials: Credentials;
  readonly deliveries: Deliveries;
  readonly apiUrl: string;
  readonly webUrl: string;
}

/** The life of an installation; every change tells the App by webhook. */
export class Installations {
  readonly #deps: InstallationsDeps;

  constructor(deps: InstallationsDeps) {
    this.#deps = deps;
  }

  install(account: Account, options: InstallOptions = {}): Installation {
    const { world, app, deliveries } = this.#deps;
    if (world.findInstallationOn(account)) {
      throw new Error(`the App is installed on ${account.login} already`);
    }
    const { repositories = "all", permissions = app.permissions } = options;
    const now = world.now();
    const installation: Installation = {
      id: world.nextId(),
      account,
      createdAtMs: now,
      permissions: { metadata: "read", ...permissions },
      selection: repositories === "all" ? "all" : "selected",
      selected: new Set(repositories === "all" ? [] : this.#idsOf(account, repositories)),
      suspendedAtMs: undefined,
      updatedAtMs: now,
    };
    world.installations.set(installation.id, installation);
    void deliveries.send("installation", {
      action: "created",
      ...this.#about(installation, options.by),
      repositories: this.#namesIn(installation),
      requester: null,
    });
    return installation;
  }

  suspend(installation: Installation): Promise<SentDelivery> {
    installation.suspendedAtMs = this.#deps.world.now();
    return this.#tell(installation, "suspend");
  }

  unsuspend(installation: Installation): Promise<SentDelivery> {
    installation.suspendedAtMs = undefined;
    return this.#tell(installation, "unsuspend");
  }

  uninstall(installation: Installation): Promise<SentDelivery> {
    const { world, credentials } = this.#deps;
    const repositories = this.#namesIn(installation);
    world.installations.delete(installation.id);
    credentials.revokeInstallation(installation);
    return this.#tell(installation, "deleted", { repositories });
  }

  acceptPermissions(installation: Installation, added: Permissions): Promise<SentDelivery> {
    installation.permissions = { ...installation.permissions, ...added };
    const repositories = this.#namesIn(installation);
    return this.#tell(installation, "new_permissions_accepted", { repositories });
  }

  add(installation: Installation, fullNames: readonly string[]): Promise<SentDelivery> {
    const added = this.#repositories(installation.account, fullNames);
    for (const { id } of added) installation.selected.add(id);
    return this.#tellOfRepositories(installation, "added", added);
  }

  remove(installation: Installation, fullNames: readonly string[]): Promise<SentDelivery> {
    const { world } = this.#deps;
    const removed = this.#repositories(installation.account, fullNames);
    if (installation.selection === "all") {
      for (const { id } of world.repositoriesOf(installation)) installation.selected.add(id);
      installation.selection = "selected";
    }
    for (const { id } of removed) installation.selected.delete(id);
    return this.#tellOfRepositories(installation, "removed", removed);
  }

  /** The fields of a webhook that say who acted on which installation. */
  #about(installation: Installation, by?: string): JsonObject {
    return {
      installation: wireInstallation(this.#deps, installation, webhookTimestamp),
      sender: this.sender(installation, by),
    };
  }

  /** Somebody who may act for the account. */
  sender({ account }: Installation, by?: string): JsonObject | null {
    const { world } = this.#deps;
    const [admin = account.login] = [...account.people].find(([, role]) => role === "admin") ?? [];
    const login = by ?? admin;
    const person = world.findAccount(login);
    return person ? wireAccount(this.#deps, person) : wireActor(this.#deps, login, undefined);
  }

  #tell(installation: Installation, action: string, more: JsonObject = {}): Promise<SentDelivery> {
    installation.updatedAtMs = this.#deps.world.now();
    const payload = { action, ...this.#about(installation), ...more };
    return this.#deps.deliveries.send("installation", payload);
  }

  #tellOfRepositories(
    installation: Installation,
    action: "added" | "removed",
    changed: readonly Repository[],
  ): Promise<SentDelivery> {
    installation.updatedAtMs = this.#deps.world.now();
    const names = changed.map(wireRepositoryName);
    return this.#deps.deliveries.send("installation_repositories", {
      action,
      ...this.#about(installation),
      repository_selection: installation.selection,
      repositories_added: action === "added" ? names : [],
      repositories_removed: action === "removed" ? names : [],
      requester: null,
    });
  }

  #namesIn(installation: Installation): readonly JsonObject[] {
    return this.#deps.world.repositoriesOf(installation).map(wireRepositoryName);
  }

  #idsOf(account: Account, fullNames: readonly string[]): readonly number[] {
    return this.#repositories(account, fullNames).map(({ id }) => id);
  }

  #repositories(account: Account, fullNames: readonly string[]): readonly Repository[] {
    return fullNames.map((fullName) => {
      const repository = this.#deps.world.getRepository(fullName);
      if (repository.owner !== account) {
        throw new Error(`${fullNameOf(repository)} does not belong to ${account.login}`);
      }
      return repository;
    });
  }
}
