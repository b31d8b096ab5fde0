import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";
import { ConfigError, loadConfig, type Config } from "./index.ts";
import { ConfigFile } from "./schema.ts";
import { listKeys } from "./schema-walk.ts";

const directory = mkdtempSync(join(tmpdir(), "infragpt-config-"));
after(() => rmSync(directory, { recursive: true }));

const EXAMPLE = join(import.meta.dirname, "../../config.example.yaml");
type Env = Readonly<Record<string, string>>;

function load(yaml: string, env: Env = {}, isTty = false): Config {
  const configPath = join(directory, "test.yaml");
  writeFileSync(configPath, yaml);
  return loadConfig({ configPath, env, cwd: directory, isTty });
}

function problemsOf(yaml: string, env: Env = {}): readonly string[] {
  try {
    load(yaml, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError, inspect(error));
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

function hasProblem(yaml: string, start: string, env: Env = {}): void {
  const problems = problemsOf(yaml, env);
  assert.ok(
    problems.some((line) => line.startsWith(start)),
    `expected "${start}…" among ${inspect(problems)}`,
  );
}

function writeSecret(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe("local mode", () => {
  test("needs no file", () => {
    const config = loadConfig({ env: {}, cwd: directory, isTty: false });

    assert.equal(config.mode, "local");
    assert.equal(config.file, undefined);
    assert.equal(config.host, "127.0.0.1");
    assert.equal(config.home, join(directory, ".infragpt"));
    assert.deepEqual(config.database, {
      kind: "embedded",
      directory: join(directory, ".infragpt"),
      poolSize: 10,
    });
    assert.deepEqual(config.encryption, {
      provider: "file",
      path: join(directory, ".infragpt/keys/keyset.json"),
      isGenerated: true,
    });
    assert.equal(config.slack, undefined);
    assert.deepEqual(config.grpc, { allowsAnonymousLoopback: true, hasReflection: true });
    assert.deepEqual([config.port, config.grpcPort, config.metricsPort], [8080, 9090, 9464]);
    assert.deepEqual(config.secrets(), []);
  });

  test("keeps its database when a file names none, and takes an empty file", () => {
    assert.equal(load("port: 0").database.kind, "embedded");
    assert.equal(load("").mode, "local");
    assert.equal(load("# nothing yet\nslack:\n").slack, undefined);
  });

  test("puts its home where INFRAGPT_HOME says", () => {
    assert.equal(load("", { INFRAGPT_HOME: "/data/x" }).home, "/data/x");
    assert.equal(load("", { INFRAGPT_HOME: "x" }).home, join(directory, "x"));
  });

  test("refuses an open host and an outside database when it is asked for by name", () => {
    hasProblem("mode: local\nhost: 0.0.0.0", "host: must be a loopback address");
    hasProblem("mode: local\ndatabase: { url: postgres://db/x }", "mode: local keeps its own");
    assert.deepEqual(problemsOf("mode: local\nhost: '::1'"), []);
  });
});

describe("production", () => {
  const keys = "encryption: { provider: file }";

  test("begins with an outside database, an open host, or by name", () => {
    const config = load(`database: { url: postgres://db/x }\n${keys}`);

    assert.equal(config.mode, "production");
    assert.equal(config.host, "0.0.0.0");
    assert.deepEqual(config.grpc, { allowsAnonymousLoopback: false, hasReflection: false });
    assert.equal(config.encryption.provider === "file" && config.encryption.isGenerated, false);
    for (const start of ["host: 0.0.0.0", "host: example.org", "mode: production"]) {
      hasProblem(start, "database: is missing");
      hasProblem(start, "encryption: is missing");
    }
  });

  test("keeps a loopback host that stands beside an outside database", () => {
    const config = load(`host: 127.0.0.1\ndatabase: { url: postgres://db/x }\n${keys}`);

    assert.deepEqual([config.mode, config.host], ["production", "127.0.0.1"]);
  });

  test("starts with no webhook that nobody signs", () => {
    const yaml = `database: { url: postgres://db/x }\n${keys}\n`;

    hasProblem(
      `${yaml}slack: { transport: http, bot_token: x }`,
      "slack.signing_secret: is missing",
    );
    hasProblem(
      `${yaml}slack: { transport: http, signing_secret: "\${S:-}" }`,
      "slack.signing_secret: is missing",
    );
    hasProblem(
      `${yaml}identity: { clerk: { port: 1 } }`,
      "identity.clerk.webhook_secret: is missing",
    );
    hasProblem(
      `${yaml}identity: { clerk: { webhook_secret: x } }`,
      "identity.clerk.authorized_parties: is missing",
    );
    hasProblem(
      `${yaml}integrations: { github: { app_id: 1 } }`,
      "integrations.github.webhook_secret: is missing",
    );
  });

  test("takes its keys from INFRAGPT_KEYSET", () => {
    const yaml = "database: { url: postgres://db/x }\nencryption: { provider: env }";
    const { encryption } = load(yaml, { INFRAGPT_KEYSET: '{"primary":"k1"}' });

    assert.equal(encryption.provider === "env" && encryption.keyset.reveal(), '{"primary":"k1"}');
    hasProblem(yaml, "encryption.keyset: is missing");
  });

  test("takes its keys from a key service", () => {
    const database = "database: { url: postgres://db/x }\n";
    const arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1";
    const gcp = "projects/p/locations/eu/keyRings/r/cryptoKeys/k";

    const aws = load(`${database}encryption: { provider: aws_kms, key_id: "${arn}" }`);
    const google = load(`${database}encryption: { provider: gcp_kms, key_id: ${gcp} }`);
    const vault = load(
      `${database}encryption: { provider: vault_transit, key_id: transit/a, decrypt_key_ids: [transit/b], endpoint: https://v, token_path: t }`,
    );

    assert.deepEqual(aws.encryption, {
      provider: "aws_kms",
      keyId: arn,
      decryptKeyIds: [],
      region: "eu-west-1",
    });
    assert.deepEqual(google.encryption, { provider: "gcp_kms", keyId: gcp, decryptKeyIds: [] });
    assert.deepEqual(vault.encryption, {
      provider: "vault_transit",
      keyId: "transit/a",
      decryptKeyIds: ["transit/b"],
      endpoint: "https://v",
      token: { path: join(directory, "t") },
    });
  });

  test("says what a key service's settings lack", () => {
    const start = "database: { url: postgres://db/x }\nencryption: { provider: ";

    hasProblem(`${start}aws_kms }`, "encryption.key_id: is missing: the ARN");
    hasProblem(`${start}aws_kms, key_id: alias/x }`, "encryption.key_id: must be the ARN");
    hasProblem(
      `${start}gcp_kms, key_id: k, decrypt_key_ids: [../x] }`,
      "encryption.decrypt_key_ids: must be a list of",
    );
    hasProblem(`${start}vault_transit, key_id: transit/a }`, "encryption.endpoint: is missing");
    hasProblem(
      `${start}vault_transit, key_id: transit/a, endpoint: "http://vault", token: x }`,
      "encryption.endpoint: must be https",
    );
    hasProblem(
      `${start}vault_transit, key_id: transit/a, endpoint: "https://v" }`,
      "encryption.token: is missing",
    );
  });
});

describe("the environment", () => {
  test("fills in variables, defaults and escapes, also for numbers and switches", () => {
    const config = load(
      'port: ${PORT}\ngrpc_port: ${GRPC:-7000}\nhttp_log: "${LOG}"\n' +
        "public_url: https://${HOST}:${PORT}/\nplugins: ['$${HOME}', '${EMPTY:-b}']",
      { PORT: "8081", HOST: "a.example", LOG: "false", EMPTY: "" },
    );

    assert.deepEqual([config.port, config.grpcPort, config.httpLog], [8081, 7000, false]);
    assert.equal(config.publicUrl, "https://a.example:8081");
    assert.deepEqual(config.plugins, ["${HOME}", "b"]);
  });

  test("cannot inject YAML, nor is what it brings substituted again", () => {
    const evil = "x\nmode: production\n${HOME}";
    const config = load("slack: { transport: http, bot_token: '${TOKEN}' }", { TOKEN: evil });

    assert.equal(config.mode, "local");
    assert.equal(config.slack?.botToken?.reveal(), evil);
  });

  test("is asked for by name when a variable is missing", () => {
    hasProblem(
      "slack: { client_secret: '${NO_SUCH}' }",
      "slack.client_secret: the environment variable NO_SUCH is not set",
    );
    hasProblem("plugins: [a, '${NO_SUCH}']", "plugins[1]: the environment variable NO_SUCH");
    hasProblem("log_level: '${1x}'", "log_level: has `${` without a variable's name");
  });

  test("switches a part off with an empty value", () => {
    const config = load("slack: { app_token: '${A:-}', client_id: '${B}' }\npublic_url: ''", {
      B: "",
    });

    assert.equal(config.slack, undefined);
    assert.equal(config.publicUrl, "http://localhost:8080");
  });
});

describe("secrets", () => {
  test("are read from a file, without the newline at its end", () => {
    writeSecret("token", "xapp-1\n");
    const config = load("slack: { app_token_file: token, bot_token_file: '${B}' }", {
      B: writeSecret("bot", "xoxb-2\r\n\n"),
    });

    assert.equal(config.slack?.appToken?.reveal(), "xapp-1");
    assert.equal(config.slack?.botToken?.reveal(), "xoxb-2");
  });

  test("name the file's key when it is unreadable, empty, too large or beside the value", () => {
    writeSecret("empty", "\n");
    writeSecret("large", "x".repeat(70_000));

    hasProblem(
      "slack: { app_token_file: nope }",
      "slack.app_token_file: names a file that cannot be read (ENOENT)",
    );
    hasProblem("slack: { app_token_file: empty }", "slack.app_token_file: names an empty file");
    hasProblem(
      "slack: { app_token_file: large }",
      "slack.app_token_file: names a file that cannot",
    );
    hasProblem(
      "slack: { app_token_file: [a] }",
      "slack.app_token_file: must be the path of a file",
    );
    hasProblem(
      `slack: { app_token: a, app_token_file: ${writeSecret("t", "b")} }`,
      "slack.app_token_file: is set beside app_token",
    );
  });

  test("have no file form where the key is no secret", () => {
    hasProblem("port_file: /x", "port_file: is not a known key");
    hasProblem(
      "slack: { app_tokn_file: /x }",
      "slack.app_tokn_file: is not a known key: did you mean app_token_file?",
    );
  });

  test("never print, and are all listed for the log", () => {
    const config = load(
      "slack: { app_token: planted-1, signing_secret: [planted-2, planted-3] }\n" +
        "agents: [{ name: a, endpoint: 'a:1', token: planted-4 }]\n" +
        "identity: { clerk: { issuer: https://clerk.a.example, webhook_secret: planted-5, authorized_parties: [https://a.example] } }\nllm: { provider: p, model: m, api_key: planted-6 }\n" +
        "database: { host: db, db_name: x, user: u, password: planted-7/% }\nencryption: { provider: env, keyset: planted-8 }\n" +
        "integrations: { github: { app_id: 1, private_key: '${KEY}', webhook_secret: planted-10 }, pagerduty: { webhook_secret: planted-11 } }\n" +
        "grpc_port: 0",
      { KEY: aPrivateKey().replaceAll("\n", "\\n") },
    );

    assert.doesNotMatch(inspect(config, { depth: 20 }) + JSON.stringify(config), /planted/);
    const revealed = config.secrets().map((secret) => secret.reveal());
    assert.ok(revealed.includes("planted-7/%"), "the password of the database without its address");
    for (const index of [1, 2, 3, 4, 5, 6, 7, 8, 10, 11]) {
      assert.ok(
        revealed.some((value) => value.includes(`planted-${index}`)),
        `planted-${index}`,
      );
    }
  });

  test("take a PEM with written-out line ends", () => {
    for (const type of ["pkcs1", "pkcs8"] as const) {
      const pem = aPrivateKey({ type });
      const config = load('integrations: { github: { app_id: 1, private_key: "${KEY}" } }', {
        KEY: pem.replaceAll("\n", "\\n"),
      });

      assert.equal(config.github?.privateKey.reveal(), pem);
    }
  });
});

/** PEM of a new RSA key. */
function aPrivateKey({
  type = "pkcs1",
  bits = 2_048,
}: { type?: "pkcs1" | "pkcs8"; bits?: number } = {}): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  return privateKey.export({ type, format: "pem" });
}

test("trusted proxies are addresses and networks", () => {
  const config = load("trusted_proxies: [10.0.0.0/8, '::1', 192.0.2.7]");

  assert.deepEqual(config.trustedProxies, ["10.0.0.0/8", "::1", "192.0.2.7"]);
  for (const wrong of ["proxy.example.com", "10.0.0.0/33", "10.0.0.0/8/8", "1.2.3", "::1/129"]) {
    hasProblem(`trusted_proxies: ['${wrong}']`, "trusted_proxies[0]: must be an address");
  }
});

describe("A GitHub App", () => {
  test("is not there without any of its keys", () => {
    assert.equal(load("integrations: { github: { webhook_port: 8085 } }").github, undefined);
  });

  test("names what is missing of it", () => {
    hasProblem(
      "integrations: { github: { app_id: 1 } }",
      "integrations.github.private_key: is missing",
    );
    hasProblem(
      "integrations: { github: { webhook_secret: x } }",
      "integrations.github.app_id: is missing",
    );
    hasProblem(
      "integrations: { github: { app_id: me } }",
      "integrations.github.app_id: must be a number",
    );
    hasProblem(
      "integrations: { github: { app_id: 1, client_id: x } }",
      "integrations.github.client_secret: is missing",
    );
    hasProblem(
      "integrations: { github: { app_id: 1, client_id: x } }",
      "integrations.github.app_slug: is missing",
    );
  });

  test("takes an RSA key that is long enough, and no other text", () => {
    const problem = "integrations.github.private_key: is no RSA private key";
    for (const key of [
      "planted",
      "-----BEGIN RSA PRIVATE KEY-----",
      aPrivateKey({ bits: 1_024 }),
    ]) {
      const yaml = 'integrations: { github: { app_id: 1, private_key: "${KEY}" } }';
      hasProblem(yaml, problem, { KEY: key.replaceAll("\n", "\\n") });
    }
  });
});

describe("problems", () => {
  test("come all at once, each with its path and none with a value", () => {
    const problems = problemsOf(
      "prot: planted\nport: planted\nlog_level: planted\nhost: [planted]\nslack: { sockets: planted, api_url: planted }\n" +
        "agents: [{ name: Planted!, endpoint: 'a:1' }, planted]\nagent: planted\nencryption: { provider: planted }\n" +
        "database: { url: planted }\nintegrations: { github: { private_key: { planted: 1 } } }\nmode: production",
    );

    assert.doesNotMatch(problems.join("\n"), /planted/i);
    const paths = problems.map((line) => line.split(": ")[0]);
    assert.deepEqual(
      new Set(paths),
      new Set([
        "agent",
        "agents[0].name",
        "agents[1]",
        "database.url",
        "encryption.provider",
        "host",
        "integrations.github.private_key",
        "log_level",
        "port",
        "prot",
        "slack.api_url",
        "slack.sockets",
      ]),
    );
  });

  test("guess what an unknown key was meant to be", () => {
    hasProblem("prot: 1", "prot: is not a known key: did you mean port?");
    hasProblem(
      "slack: { signing_secert: x }",
      "slack.signing_secert: is not a known key: did you mean signing_secret?",
    );
    hasProblem(
      "agents: [{ name: a, endpont: x }]",
      "agents[0].endpont: is not a known key: did you mean endpoint?",
    );
    assert.deepEqual(problemsOf("quux: 1"), ["quux: is not a known key"]);
  });

  test("show the place of broken YAML and nothing of its text", () => {
    const lines = problemsOf("slack:\n  app_token: *planted\n");
    const broken = problemsOf("slack:\n  app_token: 'planted\n port: 1\n");
    const twice = problemsOf("port: 1\nport: 2\n");

    assert.doesNotMatch([...lines, ...broken].join(), /planted/);
    assert.equal(lines.length, 1);
    assert.match(broken[0] ?? "", /test\.yaml:\d+:\d+: is not valid YAML here/);
    assert.match(twice[0] ?? "", /test\.yaml:2:1: is not valid YAML here \(DUPLICATE_KEY\)/);
    hasProblem("- a\n- b", join(directory, "test.yaml"));
  });

  test("name a configuration file that cannot be read", () => {
    const env = { INFRAGPT_CONFIG: "missing.yaml" };

    assert.throws(
      () => loadConfig({ env, cwd: directory, isTty: false }),
      (error) =>
        error instanceof ConfigError &&
        /missing\.yaml: cannot be read \(ENOENT\)/.test(error.message),
    );
  });

  test("name ports that are used twice, but not port 0", () => {
    hasProblem("port: 9090", "grpc_port: is the same port as port");
    hasProblem(
      "integrations: { github: { webhook_port: 8080 } }",
      "integrations.github.webhook_port: is the same",
    );
    assert.deepEqual(problemsOf("port: 0\ngrpc_port: 0\nmetrics_port: 0"), []);
  });

  test("bound numbers and name the bounds", () => {
    hasProblem("port: 70000", "port: must be a whole number from 0 to 65535");
    hasProblem("port: 80.5", "port: must be a whole number");
    hasProblem(
      "agent: { endpoint: x, timeout_ms: 1 }",
      "agent.timeout_ms: must be a whole number from 1000",
    );
  });
});

describe("slack", () => {
  test("needs an app token for sockets and says which key", () => {
    hasProblem("slack: { bot_token: x }", "slack.app_token: is missing");
    hasProblem(
      "integrations: { slack: { bot_token: x } }",
      "integrations.slack.app_token: is missing",
    );
    assert.equal(load("slack: { bot_token: x, transport: http }").slack?.transport, "http");
  });

  test("is one of two sections, and integrations.slack wins key by key", () => {
    const { slack } = load(
      "slack: { client_id: a, app_token: first, sockets: 3 }\nintegrations: { slack: { app_token: second, bot_token: b } }",
    );

    assert.equal(slack?.appToken?.reveal(), "second");
    assert.deepEqual([slack?.clientId, slack?.sockets, slack?.botToken?.reveal()], ["a", 3, "b"]);
    assert.equal(slack?.apiUrl, "https://slack.com/api/");
  });

  test("serves no HTTP route without a signing secret", () => {
    assert.deepEqual(load("slack: { bot_token: x, transport: http }").slack?.signingSecrets, []);
  });
});

describe("database", () => {
  test("becomes one address whatever its password holds", () => {
    const { database } = load(
      "database: { host: '::1', db_name: my db, user: 'a@b', password: 'p:/?#[]@ %', pool_size: 5 }\nencryption: { provider: file }",
    );

    assert.ok(database.kind === "url");
    const url = new URL(database.url.reveal());
    assert.deepEqual(
      [
        url.hostname,
        url.port,
        decodeURIComponent(url.pathname),
        decodeURIComponent(url.username),
        decodeURIComponent(url.password),
      ],
      ["[::1]", "5432", "/my db", "a@b", "p:/?#[]@ %"],
    );
    assert.equal(database.poolSize, 5);
  });

  test("is either a url or a host, and complete", () => {
    hasProblem("database: { url: postgres://a/b, host: c }", "database.host: is set beside url");
    hasProblem("database: { url: 'mysql://a/b' }", "database.url: must be a postgres:// address");
    hasProblem("database: { url: 'postgres://a:%zz@b/c' }", "database.url: has a % that");
    hasProblem("database: { host: a }", "database.db_name: is missing");
    hasProblem("database: { host: a }", "database.user: is missing");
    hasProblem("database: { user: a }", "database.host: is missing beside user");
  });
});

describe("agents", () => {
  test("begin with the seed's one agent under its default name", () => {
    const { agents } = load(
      'agent: { endpoint: "[::]:50051", retry_attempts: 1 }\nagents: [{ name: k8s, endpoint: "k:1", timeout_ms: 5000 }]',
    );

    assert.deepEqual(
      agents.map(({ name, protocol, retryAttempts, timeoutMs }) => [
        name,
        protocol,
        retryAttempts,
        timeoutMs,
      ]),
      [
        ["default", "unary", 1, 300_000],
        ["k8s", "stream", 3, 5000],
      ],
    );
  });

  test("have unique names", () => {
    hasProblem(
      "agents: [{ name: a, endpoint: x }, { name: a, endpoint: y }]",
      "agents[1].name: is the name of another",
    );
    hasProblem(
      "agent: { endpoint: x }\nagents: [{ name: default, endpoint: y }]",
      "agents[0].name: is the name of another",
    );
  });
});

describe("the log", () => {
  test("is pretty on a terminal unless the file says otherwise", () => {
    assert.equal(load("", {}, true).logFormat, "pretty");
    assert.equal(load("", {}, false).logFormat, "json");
    assert.equal(load("log_format: json", {}, true).logFormat, "json");
  });
});

describe("config.example.yaml", () => {
  test("is valid", () => {
    const env = {
      INFRAGPT_KEYSET: "{}",
      GITHUB_APP_ID: "1",
      GITHUB_WEBHOOK_SECRET: "x",
      GITHUB_PRIVATE_KEY: aPrivateKey(),
    };
    const config = loadConfig({ configPath: EXAMPLE, env, cwd: directory, isTty: false });

    assert.equal(config.github?.appSlug, "infragpt");
    assert.equal(config.mode, "production");
    assert.equal(config.agents.length, 2);
  });

  test("shows every key there is", () => {
    const example = readFileSync(EXAMPLE, "utf8");
    const shown = keysOf(example);
    const missing = listKeys(ConfigFile).filter((key) => !shown.has(key));

    assert.ok(shown.size > 80, "read too few keys: the check would pass on nothing");
    assert.deepEqual(missing, []);
  });
});

/** Paths of all keys of a YAML text by indentation, those in comments included. */
function keysOf(yaml: string): ReadonlySet<string> {
  const paths = new Set<string>();
  const stack: { readonly indent: number; readonly path: string }[] = [];
  for (const line of yaml.split("\n")) {
    const [, indent = "", dash = "", key] =
      /^( *)(?:# (?=\w+: ))?(- )?([a-z][a-z_]*):(?: |$)/.exec(line) ?? [];
    if (key === undefined) continue;
    const depth = indent.length + dash.length;
    while ((stack.at(-1)?.indent ?? -1) >= depth) stack.pop();
    const parent = stack.at(-1)?.path;
    const path = parent === undefined ? key : `${parent}${parent === "agents" ? "[]" : ""}.${key}`;
    paths.add(path);
    stack.push({ indent: depth, path });
  }
  return paths;
}
