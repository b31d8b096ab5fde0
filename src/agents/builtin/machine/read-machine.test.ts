import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { platform } from "node:os";
import { test } from "node:test";
import { portOf } from "../../testing.ts";
import type { MachineReader } from "./model.ts";
import { createPortableReader } from "./portable.ts";
import { readMachine } from "./read-machine.ts";

const signal = AbortSignal.timeout(60_000);

test("reads everything of this machine", { skip: platform() !== "linux" }, async () => {
  const machine = await readMachine({ signal, sampleMs: 50 });

  assert.deepEqual(
    Object.entries(machine).map(([name, { kind }]) => `${name} ${kind}`),
    ["load read", "memory read", "disks read", "listeners read", "processes read"],
  );
});

test("tells what it could not read, and in time", async () => {
  const never = new Promise<never>(() => undefined);
  const reader: MachineReader = {
    readLoad: () => never,
    readMemory: () => Promise.reject(new Error("no /proc/meminfo")),
    readDisks: () => Promise.resolve({ disks: [], skipped: [] }),
    readListeners: () => Promise.resolve([]),
    readProcesses: () => never,
  };

  const machine = await readMachine({ signal, timeoutMs: 50, reader });

  assert.deepEqual(machine.load, { kind: "unavailable", reason: "took over 50 ms" });
  assert.deepEqual(machine.memory, { kind: "unavailable", reason: "no /proc/meminfo" });
  assert.equal(machine.disks.kind, "read");
});

test("stops reading when nobody waits any more", async () => {
  const stop = new AbortController();
  const reading = readMachine({ signal: stop.signal, sampleMs: 3000 });

  stop.abort(new Error("left"));

  await assert.rejects(reading, /left/);
});

// The portable reader is for systems without /proc; where Linux has its tools, both must agree.
const hasTools = ["ps", "ss", "df"].every(
  (tool) => existsSync(`/usr/bin/${tool}`) || existsSync(`/bin/${tool}`),
);

test(
  "reads the same with the system's own tools",
  { skip: platform() !== "linux" || !hasTools },
  async (t) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());

    const own = await readMachine({ signal, sampleMs: 50 });
    const portable = await readMachine({
      signal,
      sampleMs: 50,
      reader: await createPortableReader(),
    });

    assert.ok(own.memory.kind === "read" && portable.memory.kind === "read");
    assert.ok(
      own.memory.value.isContainerLimit ||
        Math.abs(own.memory.value.totalBytes - portable.memory.value.totalBytes) < 1e6,
    );
    assert.ok(own.listeners.kind === "read" && portable.listeners.kind === "read");
    for (const { value } of [own.listeners, portable.listeners]) {
      assert.ok(
        value.some(
          ({ port, process: owner }) => port === portOf(server) && owner?.pid === process.pid,
        ),
      );
    }
    assert.ok(portable.processes.kind === "read");
    assert.ok(portable.processes.value.processes.some(({ pid }) => pid === process.pid));
    assert.ok(portable.load.kind === "read" && portable.load.value.busyPercent >= 0);
  },
);
