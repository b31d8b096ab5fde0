import type { Answer, Call } from "./call.ts";
import { query } from "./call.ts";

const PAGE_SIZE = 30;

export interface Page<T> {
  readonly items: readonly T[];
  readonly headers: Readonly<Record<string, string>>;
}

/** The page that `per_page` and `page` ask for, and the link header to the others. */
export function pageOf<T>(call: Pick<Call, "core" | "url">, all: readonly T[]): Page<T> {
  const size = pageSize(call);
  const asked = Number(query(call, "page") ?? 1);
  const page = Number.isInteger(asked) && asked > 0 ? asked : 1;
  const last = Math.max(1, Math.ceil(all.length / size));
  const links = [
    ...(page > 1 ? [link(call, "prev", { page: page - 1 })] : []),
    ...(page < last ? [link(call, "next", { page: page + 1 })] : []),
    ...(page < last ? [link(call, "last", { page: last })] : []),
    ...(page > 1 ? [link(call, "first", { page: 1 })] : []),
  ];
  return {
    items: all.slice((page - 1) * size, page * size),
    headers: links.length === 0 ? {} : { link: links.join(", ") },
  };
}

/** The answer of a route that is a plain array. */
export function listAnswer<T>(
  call: Pick<Call, "core" | "url">,
  all: readonly T[],
  wire: (item: T) => unknown,
): Answer {
  const { items, headers } = pageOf(call, all);
  return { status: 200, body: items.map(wire), headers };
}

/** The answer of a route that counts: `{ total_count, [name]: […] }`. */
export function countedAnswer<T>(
  call: Pick<Call, "core" | "url">,
  name: string,
  all: readonly T[],
  wire: (item: T) => unknown,
): Answer {
  const { items, headers } = pageOf(call, all);
  const body = { total_count: all.length, [name]: items.map(wire) };
  return { status: 200, body, headers };
}

export function pageSize(call: Pick<Call, "core" | "url">): number {
  const asked = Number(query(call, "per_page") ?? PAGE_SIZE);
  const size = Number.isInteger(asked) && asked > 0 ? asked : PAGE_SIZE;
  return Math.min(size, 100, call.core.pageSizeMax);
}

export function link(
  { core, url }: Pick<Call, "core" | "url">,
  relation: string,
  changes: Readonly<Record<string, string | number>>,
): string {
  const target = new URL(`${core.webUrl}${url.pathname}${url.search}`);
  for (const [name, value] of Object.entries(changes)) target.searchParams.set(name, String(value));
  return `<${target.href}>; rel="${relation}"`;
}
