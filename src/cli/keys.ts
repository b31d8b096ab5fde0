import { createAudit } from "#audit";
import type { Config } from "#config";
import type { Database } from "#database";
import {
  listKeys,
  retireKey,
  rotateKeys,
  type KeyList,
  type RotationProgress,
} from "#integrations";
import { createIds, openKeysetFile, systemClock, type Keyring, type Log } from "#platform";
import { commandLog } from "./command-log.ts";
import type { Values } from "./commands.ts";
import { openKeyring } from "./open-keyring.ts";
import { readConfig } from "./read-config.ts";
import { table, type CliContext, type Terminal } from "./terminal.ts";
import { withDatabase } from "./with-database.ts";

const BAR_WIDTH = 30;

/** Lists the encryption keys, replaces the one that seals, or ends the use of a former one. */
export async function keys(
  context: CliContext,
  values: Values,
  [action, id, ...rest]: readonly string[],
): Promise<number> {
  if (rest.length === 0 && id === undefined && action === "list") {
    return withKeys(context, values, (open) => list(open, context, values));
  }
  if (rest.length === 0 && id === undefined && action === "rotate") {
    return withKeys(context, values, (open) => rotate(open, context, values));
  }
  if (rest.length === 0 && id !== undefined && action === "retire") {
    return withKeys(context, values, (open) => retire(open, id, context, values));
  }
  context.terminal.err("Use: infragpt keys list, keys rotate, or keys retire <id>\n");
  return 1;
}

interface OpenKeys {
  readonly config: Config;
  readonly db: Database;
  readonly keyring: Keyring;
  readonly log: Log;
}

async function list({ db, keyring }: OpenKeys, { terminal }: CliContext, values: Values) {
  const listed = await listKeys({ db, keyring });
  if (values["json"] === true) terminal.out(`${JSON.stringify(asJson(listed, keyring))}\n`);
  else terminal.out(asTable(listed));
  return 0;
}

async function rotate(open: OpenKeys, { terminal, signal }: CliContext, values: Values) {
  const isJson = values["json"] === true;
  const outcome = await rotateKeys(toolsOf(open), {
    makesNewDataKeys: values["reencrypt"] === true,
    signal,
    onProgress: isJson || !terminal.isTty ? () => undefined : progressOn(terminal),
  });
  if (!isJson && terminal.isTty) terminal.err("\n");
  const { keyId, moved, undecryptable } = outcome;
  if (isJson) {
    terminal.out(`${JSON.stringify({ key_id: keyId, moved, undecryptable })}\n`);
  } else {
    terminal.out(`Key ${keyId} seals now; ${moved} records were brought to it.\n`);
    if (undecryptable > 0) {
      terminal.out(`${undecryptable} records do not open with their key: the log names them.\n`);
    }
  }
  return undecryptable > 0 ? 1 : 0;
}

async function retire(open: OpenKeys, id: string, { terminal }: CliContext, values: Values) {
  await retireKey(toolsOf(open), id);
  if (values["json"] === true) terminal.out(`${JSON.stringify({ retired: id })}\n`);
  else terminal.out(`${id} is retired. Backups from before still need it: keep a copy.\n`);
  return 0;
}

function toolsOf({ config, db, keyring, log }: OpenKeys) {
  const { encryption } = config;
  return {
    db,
    keyring,
    log,
    audit: createAudit({ db, ids: createIds(), clock: systemClock, log, keyring }),
    ...(encryption.provider === "file" ? { keysetFile: openKeysetFile(encryption.path) } : {}),
  };
}

async function withKeys(
  context: CliContext,
  values: Values,
  use: (open: OpenKeys) => Promise<number>,
): Promise<number> {
  const { terminal, signal } = context;
  const config = readConfig(context, values);
  const log = commandLog(config, terminal);
  return withDatabase(config, { log, signal }, async ({ db }) =>
    use({ config, db, log, keyring: await openKeyring(config.encryption) }),
  );
}

/** One line that is written over: what is waited for, or how far the records are. */
function progressOn(terminal: Terminal): (progress: RotationProgress) => void {
  return (progress) => terminal.err(`\r\u001b[2K${lineOf(progress)}`);
}

function lineOf(progress: RotationProgress): string {
  if (progress.step === "waiting") {
    return `Key ${progress.keyId}: waiting for ${progress.replicas.join(", ")}`;
  }
  const { keyId, done, total } = progress;
  const share = total === 0 ? 1 : done / total;
  const filled = Math.round(share * BAR_WIDTH);
  const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
  return `Key ${keyId}: ${bar} ${done} of ${total} records`;
}

function asTable({ keys: listed, replicas }: KeyList): string {
  const rows = listed.map((key) => [
    key.id,
    key.state,
    key.createdAt?.toISOString().slice(0, 10) ?? "-",
    String(key.records),
    String(key.undecryptable),
    key.isHere ? "yes" : "no",
    `${replicas.filter((replica) => replica.knownKeyIds.includes(key.id)).length} of ${replicas.length}`,
  ]);
  return table([["ID", "STATE", "SINCE", "RECORDS", "UNDECRYPTABLE", "HERE", "REPLICAS"], ...rows]);
}

function asJson({ keys: listed, replicas }: KeyList, keyring: Keyring): object {
  return {
    provider: keyring.providerId,
    primary_key_id: keyring.primaryKeyId(),
    keys: listed.map((key) => ({
      id: key.id,
      state: key.state,
      created_at: key.createdAt?.toISOString() ?? null,
      promoted_at: key.promotedAt?.toISOString() ?? null,
      retired_at: key.retiredAt?.toISOString() ?? null,
      records: key.records,
      undecryptable: key.undecryptable,
      is_here: key.isHere,
    })),
    replicas: replicas.map((replica) => ({
      id: replica.id,
      host: replica.host,
      primary_key_id: replica.primaryKeyId,
      known_key_ids: replica.knownKeyIds,
      seen_at: replica.seenAt.toISOString(),
    })),
  };
}
