// Plain JavaScript for whatever Node the machine has: it installs what is missing, the project's own
// Node among it, before `npm start` and `npm test` go on with that one.
const { spawnSync } = require("node:child_process");
const { existsSync, statSync } = require("node:fs");
const { join } = require("node:path");

const root = join(__dirname, "..");
const installed = join(root, "node_modules", ".package-lock.json");
const wanted = join(root, "package-lock.json");

function isUpToDate() {
  if (!existsSync(installed) || !existsSync(join(root, "node_modules", ".bin", "node")))
    return false;
  return statSync(installed).mtimeMs >= statSync(wanted).mtimeMs;
}

if (!isUpToDate()) {
  process.stderr.write("Installing what is missing (npm ci) …\n");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status } = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", process.stderr, process.stderr],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    process.stderr.write("npm ci failed: see the lines above, then try again.\n");
    process.exitCode = status ?? 1;
  }
}
