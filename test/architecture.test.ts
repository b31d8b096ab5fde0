import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { test } from "node:test";

const UP_TO_IDENTITY = ["platform", "database", "audit", "identity"];
const UP_TO_AGENTS = [...UP_TO_IDENTITY, "integrations", "operations", "agents"];
const EVERY_ROOM = [...UP_TO_AGENTS, "conversations", "workflows", "analytics", "config"];

/**
 * Which rooms each room may enter, through their doors, from the bottom of the tower to its top.
 * Anything not listed is a wall. `gen` is the generated protocol code, `kit` what connectors share.
 */
const MAY_ENTER: Readonly<Record<string, readonly string[]>> = {
  gen: [],
  kit: [],
  config: ["kit"],
  platform: ["kit"],
  database: ["platform"],
  audit: ["platform", "database"],
  identity: ["platform", "database", "audit"],
  integrations: [...UP_TO_IDENTITY, "kit"],
  operations: [...UP_TO_IDENTITY, "integrations"],
  agents: ["platform", "database", "gen"],
  // The kit has the words for what people say in a chat.
  conversations: [...UP_TO_AGENTS, "gen", "kit"],
  workflows: [...UP_TO_AGENTS, "conversations"],
  analytics: ["platform", "database", "identity"],
  app: [...EVERY_ROOM, "gen", "kit"],
  cli: [...EVERY_ROOM, "gen", "kit", "app"],
  main: ["config", "app", "cli"],
};

/** What a built-in connector may import beside the kit and Node: the vendor's own packages. */
const VENDOR_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  github: ["@octokit/app", "@octokit/core", "zod"],
  slack: ["@slack/types", "@slack/web-api", "ws", "zod"],
};

const ROOT = join(import.meta.dirname, "..");
const SRC = join(ROOT, "src");
const KIT = "@infragpt/connector-kit";
/** Static and dynamic imports, of types too, side effects and re-exports. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["'`]([^"'`\n]+)["'`]/g;

interface Import {
  /** Relative to src, with "/". */
  readonly file: string;
  readonly specifier: string;
}

test("the table of rooms is a tower: each room enters only rooms below it", () => {
  const below: string[] = [];
  for (const [room, others] of Object.entries(MAY_ENTER)) {
    for (const other of others)
      assert.ok(below.includes(other), `${room} enters ${other} above it`);
    below.push(room);
  }
});

test("every door of package.json leads to the index of a room", () => {
  const { imports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

  for (const [door, target] of Object.entries(imports)) {
    const room = door.slice(1);
    const expected = room === "gen/*" ? "./src/gen/*" : `./src/${room}/index.ts`;
    assert.equal(target, expected);
    assert.ok(room === "gen/*" || room in MAY_ENTER, `${door} is not in the table`);
  }
});

test("every import between rooms goes through a door that is open", () => {
  const trespasses = sourceImports()
    .filter(({ file }) => connectorOf(file) === undefined)
    .filter((entry) => !isAllowed(entry));

  assert.deepEqual(trespasses.map(describe), []);
});

test("a connector imports the kit, its vendor's packages, Node and itself", () => {
  const trespasses = sourceImports().filter(({ file, specifier }) => {
    const connector = connectorOf(file);
    if (connector === undefined || specifier === KIT || specifier.startsWith("node:")) return false;
    if (!specifier.startsWith(".")) {
      return !VENDOR_PACKAGES[connector]?.includes(specifier) && !isTest(file);
    }
    const target = targetOf(file, specifier);
    return connectorOf(target) !== connector && !(isTest(file) && target.startsWith("../test/"));
  });

  assert.deepEqual(trespasses.map(describe), []);
});

test("only store.ts and the database speak SQL", () => {
  const trespasses = sourceImports().filter(
    ({ file, specifier }) =>
      packageOf(specifier) === "kysely" &&
      !file.startsWith("database/") &&
      basename(file) !== "store.ts" &&
      !isTest(file),
  );

  assert.deepEqual(trespasses.map(describe), []);
});

test("the kit imports nothing but Node, zod and itself", () => {
  const files = globSync("kit/src/**/*.ts", { cwd: ROOT });
  assert.ok(files.length > 4, "found too few files: the check would pass on nothing");
  const specifiers = files
    .filter((file) => !isTest(file))
    .flatMap((file) => importsOf(join(ROOT, file)))
    .filter((specifier) => !/^(node:|\.\.?\/|zod$)/.test(specifier));

  assert.deepEqual(specifiers, []);
});

test("the check sees every way to import", () => {
  const text = `import a from "#a"; import type { B } from '#b'; export { c } from "#c"; import "#d";
    const e = await import("#e"); type F = import("#f").F; import(\`#g\`); export * from "#h"; import
    { i } from "#i"`;

  assert.deepEqual(specifiersIn(text), ["#a", "#b", "#c", "#d", "#e", "#f", "#g", "#h", "#i"]);
  assert.equal(isAllowed({ file: "database/open.ts", specifier: "#conversations" }), false);
  assert.equal(isAllowed({ file: "agents/x.ts", specifier: "../database/open.ts" }), false);
  assert.equal(isAllowed({ file: "agents/x.ts", specifier: "../../scripts/x.ts" }), false);
  assert.equal(isAllowed({ file: "audit/x.ts", specifier: KIT }), false);
  assert.equal(isAllowed({ file: "agents/x.ts", specifier: "#database" }), true);
});

function sourceImports(): readonly Import[] {
  const files = globSync("**/*.ts", { cwd: SRC, exclude: ["gen/**"] });
  assert.ok(files.length > 50, "found too few files: the check would pass on nothing");
  return files.flatMap((name) => {
    const file = name.split(sep).join("/");
    return importsOf(join(SRC, name)).map((specifier) => ({ file, specifier }));
  });
}

function importsOf(path: string): readonly string[] {
  return specifiersIn(readFileSync(path, "utf8"));
}

function specifiersIn(text: string): readonly string[] {
  return [...text.matchAll(IMPORT)].map(([, specifier = ""]) => specifier);
}

function isAllowed({ file, specifier }: Import): boolean {
  const from = roomOf(file);
  if (specifier === KIT) return from === "kit" || mayEnter(from, "kit");
  if (specifier.startsWith("#gen/") && isTest(file)) return true;
  if (specifier.startsWith("#")) return mayEnter(from, specifier.slice(1).split("/")[0] ?? "");
  if (!specifier.startsWith(".")) return true;
  if (!isTest(file) && isTest(specifier)) return false;
  const target = targetOf(file, specifier);
  if (target.startsWith("../")) return isAllowedOutside(file, target);
  const connector = connectorOf(target);
  if (connector !== undefined) {
    return from === "integrations" && target === `integrations/connectors/${connector}/index.ts`;
  }
  const to = roomOf(target);
  // main.ts and the command line are one program; it has no door because nobody else enters it.
  return to === from || (from === "main" && to === "cli");
}

/** Beside src: tests use what tests share, and the command line says its version. */
function isAllowedOutside(file: string, target: string): boolean {
  if (isTest(file)) return target.startsWith("../test/");
  return roomOf(file) === "cli" && target === "../package.json";
}

function mayEnter(from: string, to: string): boolean {
  return to === from || MAY_ENTER[from]?.includes(to) === true;
}

/** "conversations/store.ts" → "conversations"; the files that stand in src itself are the app's. */
function roomOf(file: string): string {
  const [first = ""] = file.split("/");
  if (!first.endsWith(".ts")) return first;
  return first === "main.ts" ? "main" : "app";
}

function connectorOf(file: string): string | undefined {
  return /^integrations\/connectors\/([^/]+)\//.exec(file)?.[1];
}

function targetOf(file: string, specifier: string): string {
  return relative(SRC, join(SRC, dirname(file), specifier))
    .split(sep)
    .join("/");
}

function packageOf(specifier: string): string {
  const [scope = "", name = ""] = specifier.split("/");
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}

/** Tests, and what the tests of one room share. */
function isTest(file: string): boolean {
  return /\.test\.ts$|-testing\.ts$|\/testing\//.test(file);
}

function describe({ file, specifier }: Import): string {
  return `${file} -> ${specifier}`;
}
