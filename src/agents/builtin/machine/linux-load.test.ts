import assert from "node:assert/strict";
import { availableParallelism, cpus, freemem, loadavg, platform, totalmem, uptime } from "node:os";
import { test } from "node:test";
import { readLoad, readMemory } from "./linux-load.ts";

const onLinux = { skip: platform() !== "linux" };

test("agrees with the system about memory", onLinux, async () => {
  const memory = await readMemory();

  if (memory.isContainerLimit) {
    assert.equal(memory.totalBytes, process.constrainedMemory());
  } else {
    assert.ok(Math.abs(memory.totalBytes - totalmem()) <= 4096);
    // Other processes take and give back memory between the two readings.
    assert.ok(Math.abs(memory.availableBytes - freemem()) < totalmem() * 0.05);
  }
  assert.ok(memory.availableBytes > 0 && memory.availableBytes <= memory.totalBytes);
});

test("agrees with the system about load, cores and uptime", onLinux, async () => {
  const load = await readLoad(50);

  assert.ok(Math.abs(load.averages[0] - loadavg()[0]!) < 1);
  assert.equal(load.machineCpus, cpus().length);
  assert.ok(load.cpus > 0 && load.cpus <= load.machineCpus);
  assert.ok(Math.abs(load.cpus - availableParallelism()) <= 1);
  assert.ok(Math.abs(load.uptimeSeconds - uptime()) < 5);
});

test("sees that a core is busy", onLinux, async () => {
  const reading = readLoad(300);
  const until = performance.now() + 350;
  while (performance.now() < until) Math.sqrt(until);

  const { busyPercent } = await reading;

  // The loop alone takes one core: half of it is left for a hypervisor that shares.
  assert.ok(busyPercent > 50 / cpus().length, `${busyPercent} %`);
  assert.ok(busyPercent <= 100);
});
