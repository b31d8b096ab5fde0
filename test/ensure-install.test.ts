import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

const SCRIPT = join(import.meta.dirname, "../scripts/ensure-install.cjs");
const roots: string[] = [];
after(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

interface Project {
  run(event?: string): { readonly status: number | null; readonly err: string };
  hasInstalled(): boolean;
  write(path: string, value: unknown): void;
}

/** A project whose npm is a script: it says that it was called, and does what `npmDoes` says. */
function aProject(npmDoes: string): Project {
  const root = mkdtempSync(join(tmpdir(), "infragpt-install-"));
  roots.push(root);
  mkdirSync(join(root, "scripts"));
  mkdirSync(join(root, "path"));
  cpSync(SCRIPT, join(root, "scripts/ensure-install.cjs"));
  writeFileSync(join(root, "path/npm"), `#!/bin/sh\n: > called\n${npmDoes}\n`);
  chmodSync(join(root, "path/npm"), 0o755);
  function write(path: string, value: unknown): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), JSON.stringify(value));
  }
  write("package-lock.json", lock("1.0.0"));
  return {
    write,
    hasInstalled: () => existsSync(join(root, "called")),
    run(event = "pretest") {
      const env = { PATH: `${join(root, "path")}:/usr/bin:/bin`, npm_lifecycle_event: event };
      const script = join(root, "scripts/ensure-install.cjs");
      const { status, stderr } = spawnSync(process.execPath, [script], { env, encoding: "utf8" });
      return { status, err: stderr };
    },
  };
}

function lock(version: string, more: Record<string, object> = {}): object {
  return { packages: { "": {}, "node_modules/a": { version }, ...more } };
}

function installed(project: Project, packages = lock("1.0.0")): Project {
  project.write("node_modules/.bin/node", "");
  project.write("node_modules/.package-lock.json", packages);
  return project;
}

const INSTALLS = "mkdir -p node_modules/.bin && : > node_modules/.bin/node";

test("installs into a clone that has nothing", () => {
  const project = aProject(INSTALLS);

  assert.deepEqual(project.run(), { status: 0, err: "Installing what is missing (npm ci) …\n" });
  assert.ok(project.hasInstalled());
});

test("leaves an install alone that matches the lockfile, whatever the times of files say", () => {
  const project = installed(aProject("exit 1"));
  project.write(
    "package-lock.json",
    lock("1.0.0", { "node_modules/b": { version: "1", optional: true } }),
  );

  assert.deepEqual(project.run(), { status: 0, err: "" });
});

test("installs again after the lockfile changed, and after an install that was interrupted", () => {
  const changed = installed(aProject(INSTALLS), lock("0.9.0"));
  const interrupted = aProject(INSTALLS);
  interrupted.write("node_modules/.bin/node", "");

  assert.equal(changed.run().status, 0);
  assert.equal(interrupted.run().status, 0);
  assert.ok(changed.hasInstalled() && interrupted.hasInstalled());
});

test("starts without the tools where production left them out, but does not test without them", () => {
  const project = installed(aProject("exit 1"));
  project.write(
    "package-lock.json",
    lock("1.0.0", { "node_modules/t": { version: "1", dev: true } }),
  );

  assert.equal(project.run("prestart").status, 0);
  assert.equal(project.run("pretest").status, 1);
});

test("says what to do when npm fails, or leaves no Node behind", () => {
  const offline = aProject("exit 7").run();
  const withoutScripts = aProject("exit 0").run();

  assert.deepEqual([offline.status, withoutScripts.status], [1, 1]);
  assert.match(offline.err, /npm ci failed: it needs the network/);
  assert.match(withoutScripts.err, /Node is missing: npm config set ignore-scripts false/);
});
