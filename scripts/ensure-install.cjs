// Plain JavaScript for whatever Node the machine has: it installs what is missing, the project's own
// Node among it, before `npm start` and `npm test` go on with that one. 15 ms when nothing is.
const { spawnSync } = require("node:child_process");
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

const root = join(__dirname, "..");
const modules = join(root, "node_modules");
const isWindows = process.platform === "win32";

if (!isUpToDate()) install();

/**
 * Compares what npm wrote last into node_modules with the lockfile. An install that was interrupted
 * has no such record, and times of files would lie after a checkout or a copy.
 */
function isUpToDate() {
  if (!hasNode()) return false;
  const wanted = packagesOf(join(root, "package-lock.json"));
  const installed = packagesOf(join(modules, ".package-lock.json"));
  if (wanted === undefined || installed === undefined) return false;
  // An image for production leaves the tools out.
  const needsTools = process.env.npm_lifecycle_event !== "prestart";
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith("node_modules/") || entry.link) return true;
    const found = installed[path];
    if (found !== undefined) return found.version === entry.version;
    // What other systems and processors need is not here.
    return entry.optional || entry.devOptional || entry.peer || (entry.dev && !needsTools);
  });
}

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined;
  }
}

function hasNode() {
  return existsSync(join(modules, ".bin", isWindows ? "node.cmd" : "node"));
}

function install() {
  process.stderr.write("Installing what is missing (npm ci) …\n");
  const flags = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = spawnSync(isWindows ? "npm.cmd" : "npm", flags, {
    cwd: root,
    stdio: ["ignore", process.stderr, process.stderr],
    shell: isWindows,
  });
  if (status === 0 && hasNode()) return;
  process.exitCode = 1;
  if (error) fail("npm cannot be run (" + error.code + "): install Node 20 or newer with npm.");
  else if (status !== 0) fail("npm ci failed: it needs the network, or a full npm cache.");
  else fail("The project's own Node is missing: npm config set ignore-scripts false, then again.");
}

function fail(message) {
  process.stderr.write(message + "\nNothing was started; the lines above say more.\n");
}
