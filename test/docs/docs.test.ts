import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, test } from "node:test";
import { Secret, type Connector } from "@infragpt/connector-kit";
import { parse } from "yaml";
import { loadConfig } from "#config";
import { COMMANDS } from "../../src/cli/commands.ts";
import { ConfigFile } from "../../src/config/schema.ts";
import { createGitHubConnector } from "../../src/integrations/connectors/github/index.ts";
import { REQUIRED_BOT_SCOPES } from "../../src/integrations/connectors/slack/identify.ts";
import {
  PAGES,
  ROOT,
  aConfigFile,
  aPrivateKey,
  blocks,
  everythingSaid,
  exampleOf,
  hasKey,
  isLinkGood,
  methodsOf,
  read,
} from "./pages.ts";

const MANIFEST = JSON.parse(read("package.json"));
const SAID = everythingSaid();
/** Folders whose paths are checked wherever a page names one. */
const FOLDERS = /^(src|kit|console|test|docs|proto|examples|scripts|bench|bin)\/[\w./-]*$/;
/** Files that people make. */
const NOT_OURS: readonly string[] = ["config.yaml", "keyset.json"];

function aGitHubConnector(): Connector {
  const config = {
    appId: "1",
    privateKey: new Secret(aPrivateKey()),
    webhookSecrets: [],
    apiUrl: "https://api.github.com",
    webUrl: "https://github.com",
    callTimeoutMs: 1_000,
  };
  return createGitHubConnector(config, { guardedFetch: fetch });
}

function sorted(names: readonly string[]): readonly string[] {
  return names.toSorted((a, b) => a.localeCompare(b));
}

describe("The docs", () => {
  test("are there and say enough to be checked", () => {
    assert.ok(PAGES.length >= 7, "found too few pages: the checks would pass on nothing");
    assert.ok(SAID.length > 200);
  });

  test("name only files and folders that exist", () => {
    const missing = SAID.filter(
      ({ text }) =>
        (FOLDERS.test(text) || /^[\w.-]+\.(json|yaml|md)$/.test(text)) &&
        !NOT_OURS.includes(text) &&
        !existsSync(join(ROOT, text)),
    );

    assert.deepEqual(missing, []);
  });

  test("link only to pages, files and headings that exist", () => {
    const broken = PAGES.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !/^https?:/.test(target))
        .filter((target) => !isLinkGood(page, target))
        .map((target) => `${page} -> ${target}`),
    );

    assert.deepEqual(broken, []);
  });

  test("name only npm scripts that exist", () => {
    const named = SAID.flatMap(({ text }) => /^npm (run \S+|start|test)/.exec(text)?.[1] ?? []);
    const scripts = named.map((name) => name.replace(/^run /, ""));

    assert.ok(scripts.length > 5);
    assert.deepEqual(
      scripts.filter((name) => !Object.hasOwn(MANIFEST.scripts, name)),
      [],
    );
  });

  test("name only commands and options that exist", () => {
    const lines = SAID.filter(({ text }) => /^(npx )?infragpt /.test(text));
    const wrong = lines.filter(({ text }) => {
      const [name = "", ...rest] = text.replace(/^(npx )?infragpt /, "").split(" ");
      if (name.startsWith("-") || name === "<command>") return false;
      const options = rest.filter((word) => word.startsWith("--")).map((word) => word.slice(2));
      const known = { ...COMMANDS[name]?.options, help: {} };
      return !COMMANDS[name] || options.some((option) => !Object.hasOwn(known, option));
    });

    assert.ok(lines.length > 10);
    assert.deepEqual(wrong, []);
  });

  test("show every command in the README", () => {
    const page = read("README.md");
    const missing = Object.keys(COMMANDS).filter((name) => !page.includes(`\`infragpt ${name}`));

    assert.deepEqual(missing, []);
  });

  test("name only configuration keys that exist", () => {
    const sections = new Set(Object.keys(ConfigFile.shape));
    const keys = SAID.filter(
      ({ text }) =>
        /^[a-z_]+(\.[a-z_]+)+(: .*)?$/.test(text) &&
        sections.has(text.split(".")[0] ?? "") &&
        !text.endsWith(".ts"),
    );

    assert.ok(keys.length > 10);
    assert.deepEqual(
      keys.filter(({ text }) => !hasKey(ConfigFile, text.split(":")[0]?.split(".") ?? [])),
      [],
    );
  });

  test("call a configuration key unused only while nothing uses it", () => {
    const [, sentence = ""] =
      /nothing uses them yet:([^.]+(?:\.[a-z][^.]*)*)\./.exec(read("docs/OPERATIONS.md")) ?? [];
    const names = [...sentence.matchAll(/`(?:integrations\.)?([a-z_]+)`/g)].map(([, name = ""]) =>
      name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    );
    const app = globSync("src/app/*.ts", { cwd: ROOT }).map(read).join("\n");

    assert.ok(names.length > 2);
    assert.deepEqual(
      names.filter((name) => new RegExp(`\\b${name}\\b`).test(app)),
      [],
    );
  });

  test("name only endpoints and gRPC methods that exist", () => {
    const served = globSync("src/**/*.ts", { cwd: ROOT }).map(read).join("\n");
    const paths = SAID.flatMap(
      ({ text }) => /^(?:(?:GET|POST|DELETE) |https:\/\/<your host>)(\/\S*)$/.exec(text)?.[1] ?? [],
    );
    const services = globSync("proto/**/*.proto", { cwd: ROOT }).flatMap((path) =>
      methodsOf(read(path)),
    );
    const methods = SAID.filter(({ text }) => /^[\w.]+\.\w+Service(\/\w+)?$/.test(text));

    assert.ok(paths.length > 5 && methods.length > 4);
    assert.deepEqual(
      paths.filter((path) => !served.includes(`"${path}"`)),
      [],
    );
    assert.deepEqual(
      methods.filter(({ text }) => !services.includes(text)),
      [],
    );
  });

  test("show configurations that are accepted", () => {
    const shown = PAGES.flatMap((page) => blocks(page, "yaml"));
    const configs = shown.filter((text) => !text.startsWith("display_information"));

    assert.ok(configs.length >= 4);
    for (const text of configs) {
      using file = aConfigFile(text);
      const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => name);
      const env = Object.fromEntries(names.map((name) => [name, exampleOf(name)]));
      loadConfig({ configPath: file.path, env, cwd: dirname(file.path), isTty: false });
    }
  });

  test("give the Slack app the scopes and events that the connector needs", () => {
    const [manifest] = blocks("docs/OPERATIONS.md", "yaml").filter((text) =>
      text.startsWith("display"),
    );
    const { oauth_config, settings, features } = parse(manifest ?? "");

    const { bot } = oauth_config.scopes;
    const { bot_events: events } = settings.event_subscriptions;

    assert.deepEqual(
      REQUIRED_BOT_SCOPES.filter((scope) => !bot.includes(scope)),
      [],
    );
    for (const kind of ["channels", "groups", "im", "mpim"])
      assert.ok(events.includes(`message.${kind}`));
    for (const name of ["app_mention", "app_uninstalled", "tokens_revoked"])
      assert.ok(events.includes(name));
    assert.equal(features.slash_commands[0].command, "/infragpt");
  });

  test("list every operation of GitHub with its risk and what it needs", () => {
    const { operations = [] } = aGitHubConnector();
    const rows = [
      ...read("docs/CONNECTORS.md").matchAll(/^\| `(\w+)` +\| (\w+) +\| `([a-z_:]+)` +\|$/gm),
    ].map(([, name = "", risk = "", needs = ""]) => `${name} ${risk} ${needs}`);
    const real = operations.map(({ name, risk, needs }) => `${name} ${risk} ${needs?.join()}`);

    assert.ok(real.length > 10);
    assert.deepEqual(sorted(rows), sorted(real));
  });

  test("describe every room of src, and no other", () => {
    const [, section = ""] = read("docs/ARCHITECTURE.md").split(/^## /m);
    const rows = [...section.matchAll(/^\| `([a-z]+)` +\|/gm)];
    const folders = globSync("src/*/", { cwd: ROOT }).map((path) => basename(path));

    assert.deepEqual(sorted(rows.map(([, room = ""]) => room)), sorted(folders));
  });

  test("name every failpoint", () => {
    const [, names = ""] = /FailpointName =([^;]+);/.exec(read("src/platform/failpoint.ts")) ?? [];
    const failpoints = [...names.matchAll(/"(\w+)"/g)].map(([, name = ""]) => name);
    const page = read("docs/ARCHITECTURE.md");

    assert.ok(failpoints.length > 3);
    for (const name of failpoints) assert.match(page, new RegExp(`^\\| \`${name}\` +\\|`, "m"));
  });

  test("say of every dependency why it is there, and of no other", () => {
    const [, section = ""] = read("docs/DECISIONS.md").split("\n## Dependencies\n");
    const rows = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name = ""]) => name);
    const development = [
      ...(section.split("For development:")[1] ?? "").matchAll(/`(@?[a-z-]+[^` ]*)`/g),
    ]
      .map(([, name = ""]) => name)
      .filter((name) => name !== "src/");

    assert.deepEqual(sorted(rows), sorted(Object.keys(MANIFEST.dependencies)));
    assert.deepEqual(sorted(development), sorted(Object.keys(MANIFEST.devDependencies)));
  });
});
