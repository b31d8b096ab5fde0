#!/usr/bin/env node
// Plain JavaScript for whatever Node the machine has: it hands over to the project's own.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const node = findNode();

if (node === undefined) {
  process.stderr.write("infragpt is not installed completely: run npm ci in " + root + "\n");
  process.exitCode = 1;
} else {
  const main = join(root, "src", "main.ts");
  const flags = ["--disable-warning=ExperimentalWarning", main];
  const child = spawn(node, flags.concat(process.argv.slice(2)), { stdio: "inherit" });
  // Ctrl-C reaches the child from the terminal; passing it on would be the second signal, which kills.
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some(
    (stream) => stream.isTTY,
  );
  process.on("SIGINT", () => {
    if (!hasTerminal) child.kill("SIGINT");
  });
  for (const name of ["SIGTERM", "SIGHUP"]) process.on(name, () => child.kill(name));
  child.on("error", (error) => {
    process.stderr.write("infragpt cannot start " + node + ": " + error.message + "\n");
    process.exitCode = 1;
  });
  child.on("exit", (code) => {
    process.exitCode = code === null ? 1 : code;
  });
}

/** The binary that the `node` package brings; this very Node where it is new enough. */
function findNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    const binary = join(dirname(manifest), "bin", name);
    if (existsSync(binary)) return binary;
  } catch {
    // The package is not there.
  }
  return Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : undefined;
}
