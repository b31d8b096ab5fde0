import { userInfo } from "node:os";
import { createAudit } from "#audit";
import {
  adminOf,
  createTokens,
  LOCAL_ORGANIZATION_ID,
  TOKEN_SCOPES,
  type Permission,
  type ServiceToken,
  type Tokens,
} from "#identity";
import { AppError, createIds, isUuid, systemClock, type Principal } from "#platform";
import { commandLog } from "./command-log.ts";
import type { Values } from "./commands.ts";
import { openKeyring } from "./open-keyring.ts";
import { readConfig, textOf } from "./read-config.ts";
import { table, withoutControls, type CliContext } from "./terminal.ts";
import { withDatabase } from "./with-database.ts";

const DAY_MS = 24 * 3_600_000;

interface Opened {
  readonly tokens: Tokens;
  /** Whoever runs the command, as the admin of the organization. */
  readonly principal: Principal;
}

/** Makes, lists or ends service tokens; a running service takes them at once. */
export async function tokens(
  context: CliContext,
  values: Values,
  [action, word, ...rest]: readonly string[],
): Promise<number> {
  if (rest.length === 0) {
    if (action === "create" && word !== undefined) {
      return withTokens(context, values, (opened) => create(opened, context, values, word));
    }
    if (action === "list" && word === undefined) {
      return withTokens(context, values, (opened) => list(opened, context, values));
    }
    if (action === "revoke" && word !== undefined) {
      return withTokens(context, values, (opened) => revoke(opened, context, values, word));
    }
  }
  context.terminal.err(
    `Use: infragpt tokens create <name> --scopes <a,b>, list, or revoke <id>\nScopes: ${TOKEN_SCOPES.join(", ")}\n`,
  );
  return 1;
}

async function create(
  { tokens: all, principal }: Opened,
  { terminal }: CliContext,
  values: Values,
  name: string,
): Promise<number> {
  const days = daysOf(values);
  const made = await all.create(principal, {
    name: name.slice(0, 100),
    scopes: scopesOf(values),
    ...(days === undefined ? {} : { expiresAt: new Date(Date.now() + days * DAY_MS) }),
  });
  const { id, expiresAt } = made;
  const token = made.token.reveal();
  if (values["json"] === true) {
    terminal.out(`${JSON.stringify({ id, token, expires_at: expiresAt })}\n`);
    return 0;
  }
  terminal.out(`${token}\n`);
  terminal.err(`Token ${id} is shown this once. It ends on ${expiresAt.toISOString()}.\n`);
  return 0;
}

async function list(
  { tokens: all, principal }: Opened,
  { terminal }: CliContext,
  values: Values,
): Promise<number> {
  const found = await all.list(principal);
  if (values["json"] === true) {
    const shown = found.map((token) => ({
      id: token.id,
      name: token.name,
      scopes: token.scopes,
      created_at: token.createdAt,
      expires_at: token.expiresAt ?? null,
      revoked_at: token.revokedAt ?? null,
      last_used_at: token.lastUsedAt ?? null,
    }));
    terminal.out(`${JSON.stringify({ tokens: shown })}\n`);
  } else if (found.length === 0) terminal.out("There are no service tokens.\n");
  else terminal.out(table([["ID", "NAME", "STATE", "LAST USED", "SCOPES"], ...found.map(asRow)]));
  return 0;
}

async function revoke(
  { tokens: all, principal }: Opened,
  { terminal }: CliContext,
  values: Values,
  id: string,
): Promise<number> {
  await all.revoke(principal, id);
  terminal.out(
    values["json"] === true ? `${JSON.stringify({ revoked: id })}\n` : `${id} has ended.\n`,
  );
  return 0;
}

function asRow(token: ServiceToken): readonly string[] {
  return [
    token.id,
    withoutControls(token.name),
    stateOf(token),
    token.lastUsedAt?.toISOString() ?? "never",
    token.scopes.join(","),
  ];
}

function stateOf({ revokedAt, expiresAt }: ServiceToken): string {
  if (revokedAt) return "revoked";
  if (!expiresAt) return "live";
  return `${expiresAt <= new Date() ? "ended" : "until"} ${expiresAt.toISOString().slice(0, 10)}`;
}

function scopesOf(values: Values): readonly Permission[] {
  const words = (textOf(values, "scopes") ?? "").split(",").map((word) => word.trim());
  return words.map((word) => {
    const scope = TOKEN_SCOPES.find((known) => known === word);
    if (scope) return scope;
    throw new AppError(
      "invalid_request",
      `--scopes takes some of ${TOKEN_SCOPES.join(", ")}, with commas between them.`,
    );
  });
}

function daysOf(values: Values): number | undefined {
  const text = textOf(values, "days");
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new AppError("invalid_request", "--days is a whole number of days, 366 at most.");
}

async function withTokens(
  context: CliContext,
  values: Values,
  use: (opened: Opened) => Promise<number>,
): Promise<number> {
  const { terminal, signal } = context;
  const config = readConfig(context, values);
  const log = commandLog(config, terminal);
  const organizationId = textOf(values, "organization") ?? LOCAL_ORGANIZATION_ID;
  if (!isUuid(organizationId)) {
    throw new AppError("invalid_request", "--organization is the id of an organization.");
  }
  const keyring = await openKeyring(config.encryption);
  return withDatabase(config, { log, signal }, async ({ db }) => {
    const deps = { db, ids: createIds(), clock: systemClock };
    const audit = createAudit({ ...deps, log, keyring });
    const principal = adminOf(organizationId, `cli:${userInfo().username}`);
    return use({ tokens: createTokens({ ...deps, audit }), principal });
  });
}
