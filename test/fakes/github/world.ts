import { Change } from "../../support/until.ts";
import type { Access, AddOrganizationOptions, AddRepositoryOptions } from "./model.ts";
import type { Account, Installation, Repository } from "./records.ts";

/** Who and what there is: accounts, repositories, installations. */
export class World {
  readonly change = new Change();
  readonly now: () => number;
  readonly repositories: Repository[] = [];
  readonly installations = new Map<number, Installation>();
  readonly #accounts = new Map<string, Account>();
  /** Former full name to the id of the repository. */
  readonly #formerNames = new Map<string, number>();
  #lastId = 1_000;

  constructor(now: () => number) {
    this.now = now;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  addUser(login: string): Account {
    return this.findAccount(login) ?? this.#addAccount(login, "User", new Map(), "none");
  }

  addOrganization(
    login: string,
    people: Readonly<Record<string, "admin" | "member">>,
    { basePermission = "read" }: AddOrganizationOptions = {},
  ): Account {
    if (this.findAccount(login)) throw new Error(`${login} is there already`);
    for (const person of Object.keys(people)) this.addUser(person);
    const roles = new Map(Object.entries(people).map(([who, role]) => [who.toLowerCase(), role]));
    return this.#addAccount(login, "Organization", roles, basePermission);
  }

  #addAccount(
    login: string,
    type: Account["type"],
    people: Account["people"],
    basePermission: Account["basePermission"],
  ): Account {
    const account = { id: this.nextId(), login, type, people, basePermission };
    this.#accounts.set(login.toLowerCase(), account);
    return account;
  }

  addRepository(fullName: string, options: AddRepositoryOptions = {}): Repository {
    if (this.findRepository(fullName)) throw new Error(`${fullName} is there already`);
    const [owner = "", name = ""] = fullName.split("/");
    const collaborators = Object.entries(options.collaborators ?? {});
    for (const [login] of collaborators) this.addUser(login);
    const repository: Repository = {
      id: this.nextId(),
      owner: this.getAccount(owner),
      name,
      isPrivate: options.private ?? true,
      isArchived: options.archived ?? false,
      defaultBranch: options.defaultBranch ?? "main",
      collaborators: new Map(collaborators.map(([login, role]) => [login.toLowerCase(), role])),
      files: new Map(Object.entries(options.files ?? {})),
      createdAtMs: this.now(),
      commits: new Map(),
      branches: new Map(),
      issues: [],
      runs: [],
      reruns: [],
      deployments: [],
    };
    this.repositories.push(repository);
    this.#formerNames.delete(fullName.toLowerCase());
    return repository;
  }

  rename(from: string, to: string): void {
    const repository = this.getRepository(from);
    const [owner = "", name = ""] = to.split("/");
    if (owner.toLowerCase() !== repository.owner.login.toLowerCase()) {
      throw new Error(`renaming ${from} cannot change its owner`);
    }
    this.#formerNames.set(from.toLowerCase(), repository.id);
    repository.name = name;
  }

  findAccount(login: string): Account | undefined {
    return this.#accounts.get(login.toLowerCase());
  }

  getAccount(login: string): Account {
    const account = this.findAccount(login);
    if (!account) throw new Error(`add the user or organization ${login} first`);
    return account;
  }

  findRepository(fullName: string): Repository | undefined {
    const wanted = fullName.toLowerCase();
    return this.repositories.find((each) => fullNameOf(each).toLowerCase() === wanted);
  }

  findRenamed(formerName: string): Repository | undefined {
    const id = this.#formerNames.get(formerName.toLowerCase());
    return this.repositories.find((each) => each.id === id);
  }

  getRepository(fullName: string): Repository {
    const repository = this.findRepository(fullName);
    if (!repository) throw new Error(`there is no repository ${fullName}`);
    return repository;
  }

  findInstallationOn(account: Account): Installation | undefined {
    return [...this.installations.values()].find((each) => each.account === account);
  }

  getInstallation(id: number): Installation {
    const installation = this.installations.get(id);
    if (!installation) throw new Error(`there is no installation ${id}`);
    return installation;
  }

  repositoriesOf({ account, selection, selected }: Installation): readonly Repository[] {
    return this.repositories.filter(
      ({ owner, id }) => owner === account && (selection === "all" || selected.has(id)),
    );
  }
}

export function fullNameOf({ owner, name }: Pick<Repository, "owner" | "name">): string {
  return `${owner.login}/${name}`;
}

/** What a person may do because somebody said so; that everybody reads a public repository is not meant. */
export function roleIn(repository: Repository, user: Account): Access | undefined {
  const { owner, collaborators } = repository;
  const login = user.login.toLowerCase();
  const inOrganization = owner.people.get(login);
  if (owner === user || inOrganization === "admin") return "admin";
  const given = collaborators.get(login);
  if (given !== undefined) return given;
  if (inOrganization === undefined || owner.basePermission === "none") return undefined;
  return owner.basePermission;
}
