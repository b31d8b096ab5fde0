import type { AppIdentity } from "./app-identity.ts";
import type { Access, JsonObject } from "./model.ts";
import type { Account, Installation, Repository } from "./records.ts";
import { timestamp } from "./timestamps.ts";
import { fullNameOf } from "./world.ts";

export interface Urls {
  readonly apiUrl: string;
  readonly webUrl: string;
}

/** Ids of GraphQL; nobody may read anything from them. */
export function nodeId(kind: string, id: number): string {
  return `${kind}_${Buffer.from(`${kind}:${id}`).toString("base64url")}`;
}

export function wireAccount({ apiUrl, webUrl }: Urls, account: Account): JsonObject {
  const { id, login, type } = account;
  return {
    login,
    id,
    node_id: nodeId(type === "User" ? "U" : "O", id),
    avatar_url: `${webUrl}/avatars/u/${id}`,
    gravatar_id: "",
    url: `${apiUrl}/users/${login}`,
    html_url: `${webUrl}/${login}`,
    type,
    site_admin: false,
  };
}

/** Who did something: a person, the App's bot, or somebody without an account (null). */
export function wireActor(
  core: { readonly app: AppIdentity } & Urls,
  login: string,
  account: Account | undefined,
): JsonObject | null {
  if (login === core.app.botLogin) {
    const bot = { id: 41_898_282, login, type: "Bot" };
    return {
      ...bot,
      node_id: nodeId("BOT", bot.id),
      url: `${core.apiUrl}/users/${encodeURIComponent(login)}`,
      html_url: `${core.webUrl}/apps/${core.app.appSlug}`,
      site_admin: false,
    };
  }
  return account ? wireAccount(core, account) : null;
}

export function wireRepository(urls: Urls, repository: Repository): JsonObject {
  const { id, owner, name, isPrivate, isArchived, defaultBranch, createdAtMs } = repository;
  const fullName = fullNameOf(repository);
  return {
    id,
    node_id: nodeId("R", id),
    name,
    full_name: fullName,
    private: isPrivate,
    owner: wireAccount(urls, owner),
    html_url: `${urls.webUrl}/${fullName}`,
    description: null,
    fork: false,
    url: `${urls.apiUrl}/repos/${fullName}`,
    clone_url: `${urls.webUrl}/${fullName}.git`,
    archived: isArchived,
    disabled: false,
    visibility: isPrivate ? "private" : "public",
    default_branch: defaultBranch,
    language: null,
    topics: [],
    has_issues: true,
    open_issues_count: repository.issues.filter(({ state }) => state === "open").length,
    created_at: timestamp(createdAtMs),
    updated_at: timestamp(createdAtMs),
    pushed_at: timestamp(createdAtMs),
  };
}

/** The few fields that webhooks about installations carry. */
export function wireRepositoryName(repository: Repository): JsonObject {
  const { id, name, isPrivate } = repository;
  return {
    id,
    node_id: nodeId("R", id),
    name,
    full_name: fullNameOf(repository),
    private: isPrivate,
  };
}

export function wireRole(role: Access | undefined): JsonObject {
  return {
    admin: role === "admin",
    maintain: role === "admin",
    push: role === "admin" || role === "write",
    triage: role === "admin" || role === "write",
    pull: role !== undefined,
  };
}

export function wireInstallation(
  { app, apiUrl, webUrl }: { readonly app: AppIdentity } & Urls,
  installation: Installation,
  writeTime: (atMs: number) => string = timestamp,
): JsonObject {
  const { id, account, permissions, selection, suspendedAtMs } = installation;
  const isOrganization = account.type === "Organization";
  const settings = isOrganization ? `organizations/${account.login}/settings` : "settings";
  return {
    id,
    client_id: app.clientId,
    account: wireAccount({ apiUrl, webUrl }, account),
    repository_selection: selection,
    access_tokens_url: `${apiUrl}/app/installations/${id}/access_tokens`,
    repositories_url: `${apiUrl}/installation/repositories`,
    html_url: `${webUrl}/${settings}/installations/${id}`,
    app_id: Number(app.appId),
    app_slug: app.appSlug,
    target_id: account.id,
    target_type: account.type,
    permissions,
    events: app.events,
    created_at: writeTime(installation.createdAtMs),
    updated_at: writeTime(installation.updatedAtMs),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: suspendedAtMs === undefined ? null : writeTime(suspendedAtMs),
  };
}
