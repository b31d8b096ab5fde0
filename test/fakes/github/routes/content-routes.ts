import { type Answer, type Route, accepts, query } from "../call.ts";
import { findCommit } from "../history.ts";
import type { JsonObject } from "../model.ts";
import { Refusal, notFound } from "../refusal.ts";
import { type RepositoryCall, repositoryRoute } from "../repository-call.ts";
import { hash } from "../wire-commit.ts";
import { fullNameOf } from "../world.ts";

// https://docs.github.com/rest/repos/contents#size-limits
const INLINE_BYTES_MAX = 1_048_576;

/** The files of a repository; every branch has the same ones here. */
export const CONTENT_ROUTES: readonly Route[] = [
  repositoryRoute("GET /repos/{owner}/{repo}/contents", "contents:read", readContent),
  repositoryRoute("GET /repos/{owner}/{repo}/contents/{path}", "contents:read", readContent),
];

function readContent(call: RepositoryCall): Answer {
  const { repository, parameters } = call;
  const path = (parameters["path"] ?? "").replaceAll(/^\/+|\/+$/g, "");
  const ref = query(call, "ref");
  const isKnownRef = ref === undefined || ref === repository.defaultBranch;
  if (!isKnownRef && !findCommit(repository, ref)) {
    throw new Refusal(404, `No commit found for the ref ${ref}`);
  }
  const text = repository.files.get(path);
  if (text !== undefined) {
    if (!accepts(call, "raw")) return { status: 200, body: wireFile(call, path, text) };
    const headers = { "content-type": "application/vnd.github.raw; charset=utf-8" };
    return { status: 200, text, headers };
  }
  const entries = listDirectory(call, path);
  if (entries.length === 0) throw notFound();
  return { status: 200, body: entries };
}

function wireFile(call: RepositoryCall, path: string, text: string): JsonObject {
  const bytes = Buffer.from(text);
  const isInline = bytes.length <= INLINE_BYTES_MAX;
  // GitHub breaks the lines of its base64.
  const content = bytes.toString("base64").replaceAll(/.{1,60}/g, "$&\n");
  return {
    ...wireEntry(call, "file", path, text),
    encoding: isInline ? "base64" : "none",
    content: isInline ? content : "",
  };
}

function listDirectory(call: RepositoryCall, directory: string): readonly JsonObject[] {
  const prefix = directory === "" ? "" : `${directory}/`;
  const inside = [...call.repository.files].filter(([path]) => path.startsWith(prefix));
  const entries = new Map<string, JsonObject>();
  for (const [path, text] of inside) {
    const [name = "", ...deeper] = path.slice(prefix.length).split("/");
    const isFile = deeper.length === 0;
    const entry = wireEntry(call, isFile ? "file" : "dir", `${prefix}${name}`, isFile ? text : "");
    entries.set(name, entry);
  }
  return [...entries.values()];
}

function wireEntry(
  { core, repository }: RepositoryCall,
  type: "file" | "dir",
  path: string,
  text: string,
): JsonObject {
  const fullName = fullNameOf(repository);
  const { defaultBranch } = repository;
  const sha = hash(`${type} ${path} ${text}`);
  const url = `${core.apiUrl}/repos/${fullName}/contents/${path}?ref=${defaultBranch}`;
  const kind = type === "file" ? "blob" : "tree";
  const html = `${core.webUrl}/${fullName}/${kind}/${defaultBranch}/${path}`;
  const git = `${core.apiUrl}/repos/${fullName}/git/${kind}s/${sha}`;
  return {
    name: path.split("/").at(-1),
    path,
    sha,
    size: Buffer.byteLength(text),
    type,
    url,
    html_url: html,
    git_url: git,
    download_url: type === "file" ? `${core.webUrl}/raw/${fullName}/${path}` : null,
    _links: { self: url, git, html },
  };
}
