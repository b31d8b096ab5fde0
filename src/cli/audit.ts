import { createReadStream } from "node:fs";
import { userInfo } from "node:os";
import { createInterface } from "node:readline";
import { createAudit, SYSTEM_CHAIN_ID, type Audit, type Verification } from "#audit";
import { AppError, createIds, isUuid, systemClock } from "#platform";
import { commandLog } from "./command-log.ts";
import type { Values } from "./commands.ts";
import { openKeyring } from "./open-keyring.ts";
import { readConfig, textOf } from "./read-config.ts";
import { table, withoutControls, type CliContext } from "./terminal.ts";
import { withDatabase } from "./with-database.ts";

const CHAINS_MAX = 500;
/** Of signed heads read from an export: one for each organization and export. */
const KNOWN_MAX = 100_000;

/** Verifies the audit log, or writes it out as lines of JSON. */
export async function audit(
  context: CliContext,
  values: Values,
  [action, ...rest]: readonly string[],
): Promise<number> {
  if (action === "verify" && rest.length === 0) {
    return withAudit(context, values, (opened) => verify(opened, context, values));
  }
  if (action === "export" && rest.length === 0) {
    return withAudit(context, values, (opened) => exportLines(opened, context, values));
  }
  context.terminal.err("Use: infragpt audit verify, or infragpt audit export > file.jsonl\n");
  return 1;
}

async function verify(opened: Audit, context: CliContext, values: Values): Promise<number> {
  const { terminal, signal } = context;
  const known = await readKnownHeads(textOf(values, "against"));
  const found: (Verification & { readonly organizationId: string })[] = [];
  for await (const organizationId of chainsOf(opened, values)) {
    const knownHashes = known.get(organizationId) ?? new Map<number, string>();
    found.push({
      organizationId,
      ...(await opened.verify(organizationId, { signal, knownHashes })),
    });
    known.delete(organizationId);
  }
  // A chain that was exported and is gone without a trace is not among those listed.
  if (textOf(values, "organization") === undefined) {
    for (const [organizationId, knownHashes] of known) {
      found.push({
        organizationId,
        ...(await opened.verify(organizationId, { signal, knownHashes })),
      });
    }
  }
  const isWhole = found.every(({ ok }) => ok);
  if (values["json"] === true) {
    const chains = found.map(({ organizationId, ...rest }) => ({
      organization_id: organizationId,
      ...rest,
    }));
    terminal.out(`${JSON.stringify({ ok: isWhole, chains })}\n`);
  } else if (found.length === 0) terminal.out("Nothing was recorded yet.\n");
  else terminal.out(table(found.map((one) => [one.ok ? "✓" : "✗", nameOf(one), told(one)])));
  return isWhole ? 0 : 1;
}

async function exportLines(opened: Audit, context: CliContext, values: Values): Promise<number> {
  const { terminal, signal } = context;
  const by = { kind: "local", id: `cli:${userInfo().username}` } as const;
  const [from, to] = [timeOf(values, "from"), timeOf(values, "to")];
  let isAny = false;
  for await (const organizationId of chainsOf(opened, values)) {
    isAny = true;
    for await (const line of opened.export(organizationId, { from, to, by }, { signal })) {
      terminal.out(`${line}\n`);
    }
  }
  if (!isAny) terminal.err("Nothing was recorded yet.\n");
  return 0;
}

async function* chainsOf(opened: Audit, values: Values): AsyncGenerator<string> {
  const wanted = textOf(values, "organization");
  if (wanted !== undefined) {
    if (!isUuid(wanted)) throw new AppError("invalid_request", "--organization takes an id.");
    yield wanted.toLowerCase();
    return;
  }
  let after: string | undefined;
  for (;;) {
    const page = await opened.listChains({
      limit: CHAINS_MAX,
      ...(after === undefined ? {} : { after }),
    });
    yield* page;
    after = page.at(-1);
    if (page.length < CHAINS_MAX) return;
  }
}

/** The signed heads of an export, by organization. */
async function readKnownHeads(
  path: string | undefined,
): Promise<Map<string, ReadonlyMap<number, string>>> {
  const heads = new Map<string, Map<number, string>>();
  if (path === undefined) return heads;
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (!line.startsWith('{"kind":"signed_head"') || ++count > KNOWN_MAX) continue;
    const { organization_id, seq, hash } = headOf(line, path);
    const ofOne = heads.get(organization_id) ?? new Map<number, string>();
    heads.set(organization_id, ofOne.set(seq, hash));
  }
  if (count > 0) return heads;
  throw new AppError("invalid_request", `${path} has no signed head: give a whole export.`);
}

interface HeadLine {
  readonly organization_id: string;
  readonly seq: number;
  readonly hash: string;
}

function headOf(line: string, path: string): HeadLine {
  try {
    const head: HeadLine = JSON.parse(line);
    if (isUuid(head.organization_id) && Number.isSafeInteger(head.seq)) return head;
  } catch {
    // Said below, as for a line that is JSON of another shape.
  }
  throw new AppError(
    "invalid_request",
    `${path} is damaged: one of its signed heads is not whole.`,
  );
}

async function withAudit(
  context: CliContext,
  values: Values,
  use: (opened: Audit) => Promise<number>,
): Promise<number> {
  const { terminal, signal } = context;
  const config = readConfig(context, values);
  const log = commandLog(config, terminal);
  const keyring = await openKeyring(config.encryption);
  return withDatabase(config, { log, signal }, ({ db }) =>
    use(createAudit({ db, keyring, log, ids: createIds(), clock: systemClock })),
  );
}

function timeOf(values: Values, name: "from" | "to"): Date | undefined {
  const text = textOf(values, name);
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new AppError(
    "invalid_request",
    `--${name} takes a time such as 2026-11-01 or 2026-11-01T10:00:00Z.`,
  );
}

function nameOf({ organizationId }: { readonly organizationId: string }): string {
  return organizationId === SYSTEM_CHAIN_ID ? "outside every organization" : organizationId;
}

function told(verified: Verification): string {
  return verified.ok ? `${verified.rows} rows` : withoutControls(verified.reason);
}
