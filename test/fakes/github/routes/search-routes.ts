import { type Answer, type Call, type Route, accepts, installationRoute, query } from "../call.ts";
import type { Caller } from "../caller.ts";
import type { JsonObject } from "../model.ts";
import { pageOf } from "../pages.ts";
import { grants } from "../permissions.ts";
import type { Repository } from "../records.ts";
import { invalid, notAccessible } from "../refusal.ts";
import { isKnown } from "../repository-call.ts";
import { nodeId, wireRepository } from "../wire.ts";
import { hash } from "../wire-commit.ts";
import { fullNameOf } from "../world.ts";

type SearchCall = Call<Extract<Caller, { kind: "installation" }>>;

interface Hit {
  readonly repository: Repository;
  readonly path: string;
  readonly text: string;
}

interface Search {
  /** Lower case; a file must hold them all. */
  readonly terms: readonly string[];
  /** Lower-case qualifiers with their values, such as `["repo", "acme/api"]`. */
  readonly qualifiers: readonly (readonly [name: string, value: string])[];
}

const SCOPES = ["repo", "org", "user"];
const FRAGMENT_BEFORE = 60;
const FRAGMENT_AFTER = 120;

/** Search over the files of every repository that the token knows of. */
export const SEARCH_ROUTES: readonly Route[] = [installationRoute("GET /search/code", search)];

function search(call: SearchCall): Answer {
  if (!grants(call.caller.permissions, "contents:read")) throw notAccessible();
  const asked = readSearch(query(call, "q") ?? "");
  if (asked.terms.length === 0) {
    throw invalid({ resource: "Search", field: "q", code: "missing" });
  }
  const hits = repositoriesIn(call, asked).flatMap((each) => hitsIn(each, asked));
  const { items, headers } = pageOf(call, hits);
  return {
    status: 200,
    headers,
    body: {
      total_count: hits.length,
      incomplete_results: false,
      items: items.map((hit) => wireHit(call, hit, asked.terms)),
    },
  };
}

function readSearch(text: string): Search {
  const words = text.match(/(?:[a-z]+:)?"[^"]*"|\S+/gi) ?? [];
  // What begins with a quote is a phrase, whatever is in it.
  const read = words.map((word) => /^(?:([a-z]+):)?(.*)$/i.exec(word));
  const pairs = read.map((match) => {
    return [match?.[1] ?? "", (match?.[2] ?? "").replaceAll('"', "")] as const;
  });
  return {
    terms: pairs.filter(([name]) => name === "").map(([, value]) => value.toLowerCase()),
    qualifiers: pairs
      .filter(([name]) => name !== "")
      .map(([name, value]) => [name.toLowerCase(), value.toLowerCase()]),
  };
}

/** Several scopes add up. A search over nothing but what the token does not know of is refused. */
function repositoriesIn(call: SearchCall, { qualifiers }: Search): readonly Repository[] {
  const known = call.core.world.repositories.filter((each) => isKnown(call, each));
  const scopes = qualifiers.filter(([name]) => SCOPES.includes(name));
  if (scopes.length === 0) return known;
  const within = known.filter((each) => {
    const names = [fullNameOf(each).toLowerCase(), each.owner.login.toLowerCase()];
    return scopes.some(([, value]) => names.includes(value));
  });
  if (within.length > 0) return within;
  throw invalid({
    message:
      "The listed users and repositories cannot be searched either because the resources do not exist or you do not have permission to view them.",
    resource: "Search",
    field: "q",
    code: "invalid",
  });
}

function hitsIn(repository: Repository, { terms, qualifiers }: Search): readonly Hit[] {
  return [...repository.files]
    .map(([path, text]) => ({ repository, path, text }))
    .filter(({ path, text }) => {
      const everything = `${path}\n${text}`.toLowerCase();
      const isQualified = qualifiers.every(([name, value]) => isQualifiedBy(path, name, value));
      return isQualified && terms.every((term) => everything.includes(term));
    });
}

function isQualifiedBy(path: string, name: string, value: string): boolean {
  const lower = path.toLowerCase();
  if (name === "path") return lower.startsWith(value.replace(/^\//, ""));
  if (name === "filename") return lower.split("/").at(-1)?.includes(value) ?? false;
  if (name === "extension") return lower.endsWith(`.${value}`);
  return true;
}

function wireHit(call: SearchCall, hit: Hit, terms: readonly string[]): JsonObject {
  const { core } = call;
  const { repository, path, text } = hit;
  const fullName = fullNameOf(repository);
  const sha = hash(`file ${path} ${text}`);
  return {
    name: path.split("/").at(-1),
    path,
    sha,
    url: `${core.apiUrl}/repos/${fullName}/contents/${path}?ref=${repository.defaultBranch}`,
    git_url: `${core.apiUrl}/repos/${fullName}/git/blobs/${sha}`,
    html_url: `${core.webUrl}/${fullName}/blob/${repository.defaultBranch}/${path}`,
    node_id: nodeId("F", repository.id),
    repository: wireRepository(core, repository),
    score: 1,
    ...(accepts(call, "text-match") ? { text_matches: matchesOf(text, terms) } : {}),
  };
}

function matchesOf(text: string, terms: readonly string[]): readonly JsonObject[] {
  return terms.flatMap((term) => {
    const at = text.toLowerCase().indexOf(term);
    if (at < 0) return [];
    const start = Math.max(0, at - FRAGMENT_BEFORE);
    const indices = [at - start, at - start + term.length];
    return [
      {
        object_type: "FileContent",
        property: "content",
        fragment: text.slice(start, at + FRAGMENT_AFTER),
        matches: [{ text: text.slice(at, at + term.length), indices }],
      },
    ];
  });
}
