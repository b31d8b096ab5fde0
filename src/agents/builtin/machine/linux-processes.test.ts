import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { platform } from "node:os";
import { test } from "node:test";
import { parseStat, readProcesses } from "./linux-processes.ts";

const onLinux = { skip: platform() !== "linux" };

test("finds a busy process among the busiest", onLinux, async (t) => {
  const script = "process.stdout.write('on'); for (;;) {}";
  const busy = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  t.after(() => busy.kill("SIGKILL"));
  await once(busy.stdout, "data");

  const { processes } = await readProcesses(500);

  const place = processes.findIndex(({ pid }) => pid === busy.pid);
  // Other work on the machine takes its share, so this is not the 100 % of an idle one.
  assert.ok(place >= 0 && place < 8, `it is number ${place + 1}`);
  assert.ok(processes[place]!.cpuPercent > 5, `${processes[place]!.cpuPercent} %`);
  assert.ok(processes[place]!.cpuPercent < 200);
  assert.match(processes[place]!.name, /node/);
});

test("says how much memory a process holds", onLinux, async () => {
  const ballast = Buffer.alloc(200 * 1024 * 1024, 1);
  const rssBytes = process.memoryUsage().rss;

  const { processes } = await readProcesses(1);

  const own = processes.find(({ pid }) => pid === process.pid);
  assert.ok(own !== undefined && ballast.length > 0);
  assert.ok(
    Math.abs(own.memoryBytes - rssBytes) < rssBytes * 0.1,
    `${own.memoryBytes} and ${rssBytes}`,
  );
});

test("never shows the arguments of a process", onLinux, async (t) => {
  const child = spawn(
    process.execPath,
    ["-e", "process.stdout.write('on'); setInterval(() => {}, 1e6)", "--", "--password=hunter2"],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");

  const { processes } = await readProcesses(1);

  assert.ok(processes.some(({ pid }) => pid === child.pid));
  assert.ok(!JSON.stringify(processes).includes("hunter2"));
});

test("reads a name with spaces and parentheses", () => {
  const fields = "D 1 1 1 0 -1 0 0 0 0 0 70 30 0 0 20 0 1 0 555 4096 25 18446744073709551615";

  assert.deepEqual(parseStat(`42 (tmux: (server) ) x) ${fields}`), {
    pid: 42,
    name: "tmux: (server) ) x",
    state: "D",
    cpuTicks: 100,
    startTicks: "555",
    pages: 25,
  });
});

test("ignores what is no process", () => {
  assert.equal(parseStat(""), undefined);
  assert.equal(parseStat("garbage"), undefined);
});
