import { execFile } from "node:child_process";
import { chown, cp, mkdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "#platform";
import type { Binaries } from "./binaries.ts";

const run = promisify(execFile);

/** The account the server runs under where this process is root: PostgreSQL refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** undefined: this process is not root, and the server runs as the same user. */
export async function findAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const known = await idsOf("postgres");
  if (known !== undefined) return known;
  // Alpine has adduser only; where neither works, every system has `nobody`.
  await run("useradd", ["--system", "--no-create-home", "--user-group", "postgres"]).catch(() =>
    run("adduser", ["-S", "-D", "-H", "postgres"]).catch(() => undefined),
  );
  const account = (await idsOf("postgres")) ?? (await idsOf("nobody"));
  if (account !== undefined) return account;
  throw new AppError(
    "unavailable",
    "PostgreSQL does not run as root, and no other account was found: create a user named postgres, or start the service as another user.",
  );
}

async function idsOf(user: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run("id", ["-u", user]), run("id", ["-g", user])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/** Gives a directory, not what is in it, to the account. */
export async function giveTo(account: Account | undefined, path: string): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid);
}

/**
 * Binaries that the account can reach. Where the project lies below a directory that only root may
 * enter, such as /root, they are copied once (60 MB) to a place of root's that everyone may read.
 */
export async function reachableBinaries(
  account: Account | undefined,
  binaries: Binaries,
): Promise<Binaries> {
  if (account === undefined || (await canReach(account, binaries.postgres))) return binaries;
  const source = dirname(dirname(binaries.postgres));
  const { mtimeMs } = await stat(binaries.postgres);
  const name = `infragpt-postgres-${Math.trunc(mtimeMs).toString(36)}`;
  for (const parent of ["/var/lib", "/opt", tmpdir()]) {
    const target = join(parent, name);
    if ((await isOurs(target)) || (await copyWhole(source, target))) {
      const copied = { postgres: join(target, "bin/postgres"), initdb: join(target, "bin/initdb") };
      if (await canReach(account, copied.postgres)) return copied;
    }
  }
  throw new AppError(
    "unavailable",
    `The account postgres cannot read ${source}: start the service as another user than root, or set database.url to a PostgreSQL of your own.`,
  );
}

/** Whether root made it: in a directory that everyone may write to, another could have. */
async function isOurs(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.isDirectory() && found.uid === 0;
}

async function copyWhole(source: string, target: string): Promise<boolean> {
  const draft = `${target}.${process.pid}`;
  try {
    await mkdir(draft, { mode: 0o755 });
    await cp(source, draft, { recursive: true, verbatimSymlinks: true });
    await run("chmod", ["-R", "a+rX,go-w", draft]);
    await rename(draft, target);
    return true;
  } catch {
    await rm(draft, { recursive: true, force: true });
    // Another process may have been faster.
    return isOurs(target);
  }
}

async function canReach(account: Account, path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    if (((mode >> shift) & 1) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
