// Sealed credentials brought to a new key per second, by `keys rotate` alone and beside a running replica:
//   node bench/rewrap.ts [--records 50000]
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sql } from "kysely";
import { migrate } from "#database";
import { rotateKeys, type RotationProgress } from "#integrations";
import { createLocalKeyset, openKeysetFile } from "#platform";
import {
  aLog,
  auditOf,
  keyringOf,
  manySecrets,
  ORGANIZATION_ID,
} from "../src/integrations/keys/keys-testing.ts";
import { startChild } from "./child.ts";
import { openBenchDatabase, write } from "./measure.ts";

const { values } = parseArgs({ options: { records: { type: "string", default: "50000" } } });
const RECORDS = Number(values.records);
const AT_ONCE = 5_000;

await using database = await openBenchDatabase();
const { db } = database;
const log = aLog();
await migrate(db, { log });
const keysetPath = join(database.home, "keys", "keyset.json");
await createLocalKeyset(keysetPath, { hasCiphertext: false });
const keyring = await keyringOf(keysetPath);
for (let count = 0; count < RECORDS; count += AT_ONCE) {
  await manySecrets(db, keyring, ORGANIZATION_ID, Math.min(AT_ONCE, RECORDS - count));
}

write(`| ${RECORDS} records | rows/s | CPU µs of \`keys rotate\` |\n|---|---|---|\n`);
await measure("alone", false);
await measure("alone, with new data keys", true);
{
  await using replica = startChild("key-replica.ts", database.url, keysetPath);
  await replica.next("ready");
  await measure("beside a replica", false);
}

/** From the first to the last count, so that the wait for replicas is not a part of it. */
async function measure(name: string, makesNewDataKeys: boolean): Promise<void> {
  const counts: { readonly atMs: number; readonly cpuMs: number; readonly done: number }[] = [];
  function onProgress(progress: RotationProgress): void {
    if (progress.step === "waiting") return;
    const { user, system } = process.cpuUsage();
    counts.push({
      atMs: performance.now(),
      cpuMs: (user + system) / 1000,
      done: progress.done,
    });
  }
  // Each rotation leaves every row's former version behind, which would slow the next one.
  await sql`vacuum analyze integration_credentials`.execute(db);
  const audit = auditOf(db, keyring);
  const outcome = await rotateKeys(
    { db, keyring, log, audit, keysetFile: openKeysetFile(keysetPath) },
    { makesNewDataKeys, onProgress, signal: AbortSignal.timeout(300_000) },
  );
  const [first, last] = [counts[0], counts.at(-1)];
  // The audit log's signing key may be a record too.
  if (outcome.moved < RECORDS || outcome.undecryptable > 0 || !first || !last || first === last)
    throw new Error(`Not all was moved, or at once: ${JSON.stringify(outcome)}`);
  const rows = last.done - first.done;
  const perSecond = (rows * 1000) / (last.atMs - first.atMs);
  const cpuUs = ((last.cpuMs - first.cpuMs) * 1000) / rows;
  write(`| ${name} | ${perSecond.toFixed(0)} | ${cpuUs.toFixed(0)} |\n`);
}
