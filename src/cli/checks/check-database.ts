import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "#config";
import { checkSchema, type Database } from "#database";
import type { Abortable, Log } from "#platform";
import { withDatabase } from "../with-database.ts";
import { checkEncryption } from "./check-encryption.ts";
import { failed, ok, warning, type Finding } from "./finding.ts";

type Options = Abortable & { readonly log: Log };

/** The database, its schema, and the keys that what is stored in it needs. */
export async function checkDatabase(config: Config, options: Options): Promise<readonly Finding[]> {
  const { database } = config;
  if (database.kind === "embedded" && !existsSync(join(database.directory, "postgres"))) {
    const detail = `none yet: the first start makes one in ${database.directory}`;
    return [ok("database", detail), ...(await checkEncryption(config, undefined, options))];
  }
  try {
    return await withDatabase(config, options, async (opened) => {
      const { db, connection } = opened;
      await opened.check(options);
      const place = `${connection.host}:${connection.port}`;
      const kind = database.kind === "embedded" ? "embedded PostgreSQL" : "PostgreSQL";
      const schema = await checkTables(db);
      const usable = schema.state === "failed" ? undefined : db;
      return [
        ok("database", `${kind} at ${place}`),
        schema,
        ...(await checkEncryption(config, usable, options)),
      ];
    });
  } catch (error) {
    return [failed("database", error), ...(await checkEncryption(config, undefined, options))];
  }
}

async function checkTables(db: Database): Promise<Finding> {
  const { missing, unknown } = await checkSchema(db);
  if (unknown.length > 0) {
    return failed("schema", `newer than this version (${unknown.join(", ")}): run the newer one`);
  }
  if (missing.length === 0) return ok("schema", "up to date");
  return warning("schema", `infragpt migrate, or the next start, applies ${missing.join(", ")}`);
}
