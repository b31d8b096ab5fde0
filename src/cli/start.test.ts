import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

test("names the key of a port that another program has, without a stack", async () => {
  const home = mkdtempSync(join(tmpdir(), "infragpt-start-"));
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  assert.ok(typeof address === "object" && address !== null);
  const { port } = address;
  writeFileSync(join(home, "config.yaml"), `port: ${port}\ngrpc_port: 0\nmetrics_port: 0\n`);

  const service = spawn(process.execPath, [join(import.meta.dirname, "../main.ts"), "start"], {
    cwd: home,
    env: { PATH: process.env["PATH"] },
    timeout: 60_000,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said, [code]] = await Promise.all([text(service.stderr), once(service, "close")]);

  assert.match(said, new RegExp(`^port: 127.0.0.1:${port} is taken by another program; set port`));
  assert.doesNotMatch(said, / at /);
  assert.equal(code, 1);
  other.close();
  rmSync(home, { recursive: true, force: true });
});
