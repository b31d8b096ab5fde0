import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLocalKeyset } from "#platform";
import { runCli } from "../../src/cli/run-cli.ts";
import type { TestDatabase } from "./database.ts";
import { aHome } from "./service.ts";

/** A directory with a configuration of production, for commands that run in this process. */
export interface CliWorld extends Disposable {
  readonly path: string;
  readonly keysetPath: string;
  infragpt(
    options: { readonly isTty: boolean },
    ...argv: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** Another configuration file, with the keys of another path. */
  writeConfig(name: string, keysetPath: string): void;
}

export async function aCliWorld(database: Pick<TestDatabase, "url">): Promise<CliWorld> {
  const home = aHome();
  const keysetPath = join(home.path, "keys", "keyset.json");
  await createLocalKeyset(keysetPath, { hasCiphertext: false });

  function writeConfig(name: string, path: string): void {
    const encryption = { provider: "file", path };
    const ports = { host: "127.0.0.1", port: 0, grpc_port: 0, metrics_port: 0 };
    const file = { ...ports, mode: "production", database: { url: database.url }, encryption };
    writeFileSync(join(home.path, name), JSON.stringify(file));
  }

  writeConfig("config.yaml", keysetPath);
  return {
    path: home.path,
    keysetPath,
    writeConfig,
    async infragpt({ isTty }, ...argv) {
      let out = "";
      let err = "";
      const code = await runCli(argv, {
        terminal: {
          isTty,
          out: (text) => (out += text),
          err: (text) => (err += text),
        },
        env: {},
        cwd: home.path,
        signal: new AbortController().signal,
      });
      return { code, out, err };
    },
    [Symbol.dispose]: () => home[Symbol.dispose](),
  };
}
