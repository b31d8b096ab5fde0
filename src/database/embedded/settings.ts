import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "#platform";

const Settings = z.object({ port: z.int().min(1).max(65_535), password: z.string().min(16) });
/** What a client needs to know of the embedded server. */
export type Settings = z.infer<typeof Settings>;

/** undefined: there is no embedded database here yet. */
export async function findSettings(directory: string): Promise<Settings | undefined> {
  let text: string;
  try {
    text = await readFile(pathIn(directory), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return Settings.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError(
      "unavailable",
      `${pathIn(directory)} cannot be read: restore it, or move ${directory} away to begin with an empty database.`,
      { cause },
    );
  }
}

export async function makeSettings(): Promise<Settings> {
  return { port: await findFreePort(), password: randomBytes(24).toString("base64url") };
}

/** Replaces the file whole: a crash leaves the old one or the new one. */
export async function saveSettings(directory: string, settings: Settings): Promise<void> {
  const draft = `${pathIn(directory)}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(settings)}\n`, { mode: 0o600, flush: true });
  await rename(draft, pathIn(directory));
}

export async function findFreePort(): Promise<number> {
  return tryPort(0);
}

/** Whether the server could listen on the port it had before. */
export async function isPortFree(port: number): Promise<boolean> {
  return tryPort(port).then(
    () => true,
    () => false,
  );
}

function tryPort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: wanted }, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

function pathIn(directory: string): string {
  return join(directory, "postgres.json");
}
