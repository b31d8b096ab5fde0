import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";

const MAIN = join(import.meta.dirname, "../main.ts");
const BIN = join(import.meta.dirname, "../../bin/infragpt.js");
const home = mkdtempSync(join(tmpdir(), "infragpt-cli-"));
after(() => rmSync(home, { recursive: true, force: true }));
writeFileSync(join(home, "config.yaml"), "port: 0\ngrpc_port: 0\nmetrics_port: 0\n");
writeFileSync(join(home, "broken.yaml"), "prot: 1\nslack: { bot_token: xoxb-planted }\n");

const LOCAL_ORGANIZATION_ID = "00000000-0000-7000-8000-000000000001";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function launch(args: readonly string[], program = MAIN): ChildProcess {
  return spawn(process.execPath, [program, ...args], {
    cwd: home,
    env: { PATH: process.env["PATH"] },
    timeout: 60_000,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function infragpt(...args: readonly string[]): Promise<Outcome> {
  const child = launch(args);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, "close"),
  ]);
  return { code: Number(code), out, err };
}

test("says its version and its commands", async () => {
  const [version, help, ofCommand] = await Promise.all([
    infragpt("--version"),
    infragpt("--help"),
    infragpt("ask", "--help"),
  ]);

  assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
  assert.match(help.out, /start[\s\S]*ask[\s\S]*doctor[\s\S]*migrate[\s\S]*jobs/);
  assert.match(ofCommand.out, /Usage: infragpt ask "<question>"[\s\S]*--conversation <id>/);
  assert.deepEqual([version.code, help.code, ofCommand.code], [0, 0, 0]);
});

test("guesses a mistyped command and names an unknown option", async () => {
  const [command, option] = await Promise.all([infragpt("strat"), infragpt("ask", "--jsn", "x")]);

  assert.match(command.err, /no command "strat": did you mean start\?/);
  assert.match(option.err, /Unknown option '--jsn'/);
  assert.deepEqual([command.code, option.code], [1, 1]);
});

test("exits 78 with one line for each problem of the configuration, and no value", async () => {
  const { code, out, err } = await infragpt("start", "--config", "broken.yaml");

  assert.equal(code, 78);
  assert.equal(out, "");
  assert.deepEqual(
    err
      .trimEnd()
      .split("\n")
      .map((line) => line.split(": ")[0]),
    ["prot", "slack.app_token"],
  );
  assert.doesNotMatch(err, /planted/);
});

test("the doctor names the problems of the configuration and exits 1", async () => {
  const { code, out } = await infragpt("doctor", "--config", "broken.yaml", "--json");

  const { ok, findings } = JSON.parse(out);
  assert.equal(ok, false);
  assert.equal(findings.length, 2);
  assert.equal(code, 1);
});

describe("a running service", () => {
  test("answers questions, is looked at, shares nothing, and stops clean on SIGTERM", async () => {
    const service = launch(["start"], BIN);
    const closed = once(service, "close");
    const lines = createInterface({ input: service.stdout! });
    let grpc = "";
    for await (const line of lines) {
      const entry = JSON.parse(line);
      if (entry.msg === "gRPC is ready") grpc = entry.address;
      if (entry.msg === "InfraGPT is ready") break;
    }
    assert.notEqual(grpc, "", "the service did not start");
    service.stdout!.resume();

    try {
      const first = JSON.parse((await infragpt("ask", "--json", "--endpoint", grpc, "hello")).out);
      const [again, second, jobs, missing, migrate, doctor, audit] = await Promise.all([
        infragpt("ask", "--endpoint", grpc, "--conversation", first.conversation_id, "and now?"),
        infragpt("start"),
        infragpt("jobs", "list", "--json"),
        infragpt("jobs", "replay", "0b7c1a52-0000-7000-8000-000000000000"),
        infragpt("migrate"),
        infragpt("doctor", "--json"),
        infragpt("audit", "verify", "--json"),
      ]);

      assert.match(first.text, /\w/);
      assert.match(again.out, /\w/);
      assert.deepEqual(JSON.parse(jobs.out), { jobs: [] });
      assert.match(missing.err, /No dead job has the id/);
      assert.match(migrate.out, /up to date/);
      assert.match(second.err, /^Another infragpt \(pid \d+.*stop it first/);
      assert.equal(JSON.parse(doctor.out).ok, true);
      assert.equal(JSON.parse(audit.out).ok, true);
      assert.deepEqual(
        [again.code, second.code, jobs.code, missing.code, migrate.code, doctor.code, audit.code],
        [0, 1, 0, 1, 0, 0, 0],
      );
    } finally {
      service.kill("SIGTERM");
    }
    const [code] = await closed;
    assert.equal(code, 0);
  });

  test("is not needed to write out the audit log and compare with it later", async () => {
    const exported = await infragpt("audit", "export", "--organization", LOCAL_ORGANIZATION_ID);
    writeFileSync(join(home, "audit.jsonl"), exported.out);

    const compared = await infragpt("audit", "verify", "--against", "audit.jsonl");

    const kinds = exported.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).kind);
    assert.deepEqual([kinds.at(0), kinds.at(-1)], ["entry", "signed_head"]);
    assert.match(compared.out, /^✓ .* rows$/m);
    assert.deepEqual([exported.code, compared.code], [0, 0]);
  });

  test("is not needed for one question in local mode", async () => {
    const { code, out } = await infragpt("ask", "hello");

    assert.match(out, /\w/);
    assert.equal(code, 0);
  });
});
