/** A replica as far as keys go: it follows the key file, moves records and writes credentials until it is killed. */
import { setTimeout as sleep } from "node:timers/promises";
import { createIds } from "#platform";
import type { ConnectionOptions } from "#database";
import { openKysely, openPool } from "../../src/database/pool.ts";
import { createKeyKeeper } from "../../src/integrations/keys/keep-keys.ts";
import {
  aLog,
  auditOf,
  FAST_HEARTBEAT,
  keyringOf,
  writeSecret,
} from "../../src/integrations/keys/keys-testing.ts";

export interface ReplicaSpec {
  readonly connection: ConnectionOptions;
  readonly keysetPath: string;
  readonly organizationId: string;
  /** Whose credentials it writes, in turns. */
  readonly integrationIds: readonly string[];
  readonly writesPerSecond: number;
}

/** Told before and after each write, so that whoever kills this process knows what may be stored. */
export interface ReplicaMessage {
  readonly kind: "ready" | "writing" | "written";
  readonly integrationId: string;
  readonly secret: string;
}

const spec: ReplicaSpec = JSON.parse(process.argv[2] ?? "{}");
const { signal } = new AbortController();
const log = aLog();
const pool = openPool({ connection: spec.connection, sizeMax: 5, applicationName: "replica", log });
const db = openKysely(pool);
const keyring = await keyringOf(spec.keysetPath);
const keeper = createKeyKeeper({
  db,
  keyring,
  log,
  ids: createIds(),
  audit: auditOf(db, keyring),
  heartbeat: FAST_HEARTBEAT,
});
process.on("disconnect", () => process.exit());

function tell(kind: ReplicaMessage["kind"], integrationId = "", secret = ""): void {
  process.send?.({ kind, integrationId, secret } satisfies ReplicaMessage);
}

async function writeForever(): Promise<void> {
  const { organizationId } = spec;
  for (let count = 0; ; count += 1) {
    const startedAt = performance.now();
    const integrationId = spec.integrationIds[count % spec.integrationIds.length] ?? "";
    const secret = `${process.pid}/${count}`;
    tell("writing", integrationId, secret);
    if (await writeSecret(db, keyring, { organizationId, integrationId }, secret)) {
      tell("written", integrationId, secret);
    }
    await sleep(Math.max(0, startedAt + 1000 / spec.writesPerSecond - performance.now()));
  }
}

await keeper.announce({ signal });
tell("ready");
await Promise.all([keeper.keep({ signal }), writeForever()]);
