import { Secret } from "@infragpt/connector-kit";
import type { DatabaseConfig } from "./config.ts";
import type { Problems } from "./problems.ts";
import type { ConfigFile } from "./schema.ts";

/** Where the database is: the embedded one without host and url. */
export function resolveDatabase(
  section: ConfigFile["database"],
  home: string,
  problems: Problems,
): DatabaseConfig {
  const poolSize = section?.pool_size ?? 10;
  if (section?.url !== undefined) {
    checkUrl(section, problems);
    return { kind: "url", url: section.url, poolSize };
  }
  if (section?.host !== undefined) return { kind: "url", url: urlOf(section, problems), poolSize };
  for (const key of ["port", "db_name", "user", "password"] as const) {
    if (section?.[key] !== undefined)
      problems.add(["database", "host"], `is missing beside ${key}`);
  }
  return { kind: "embedded", directory: home, poolSize };
}

type DatabaseSection = NonNullable<ConfigFile["database"]>;

function checkUrl(section: DatabaseSection, problems: Problems): void {
  const parsed = URL.parse(section.url?.reveal() ?? "");
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    problems.add(["database", "url"], "must be a postgres:// address");
  }
  if (parsed !== null && !canDecode(parsed)) {
    problems.add(["database", "url"], "has a % that encodes nothing: write %25 for the character");
  }
  for (const key of ["host", "port", "db_name", "user", "password"] as const) {
    if (section[key] !== undefined) {
      problems.add(["database", key], "is set beside url: keep one of the two");
    }
  }
}

function canDecode({ username, password, pathname }: URL): boolean {
  try {
    return [username, password, pathname].map(decodeURIComponent).length > 0;
  } catch {
    return false;
  }
}

function urlOf(
  { host = "", port, db_name, user, password }: DatabaseSection,
  problems: Problems,
): Secret {
  if (db_name === undefined) problems.add(["database", "db_name"], "is missing");
  if (user === undefined) problems.add(["database", "user"], "is missing");
  const account = [user ?? "", ...(password === undefined ? [] : [password.reveal()])]
    .map(encodeURIComponent)
    .join(":");
  const name = encodeURIComponent(db_name ?? "");
  // A socket directory cannot stand in a URL's host.
  if (host.startsWith("/")) {
    const query = new URLSearchParams({ host, port: String(port ?? 5432) });
    return new Secret(`postgres://${account}@localhost/${name}?${query.toString()}`);
  }
  const address = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return new Secret(`postgres://${account}@${address}:${port ?? 5432}/${name}`);
}
