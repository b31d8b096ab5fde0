import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { readContainerLimits, type ContainerLimits } from "./linux-cgroup.ts";

/** Limits read from a machine that has these files. */
function limitsOf(
  t: TestContext,
  files: Readonly<Record<string, string>>,
): Promise<ContainerLimits> {
  const root = mkdtempSync(join(tmpdir(), "cgroup-"));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return readContainerLimits(join(root, "proc"), join(root, "cgroup"));
}

test("reads the limits of a container with cgroup version 2", async (t) => {
  const limits = await limitsOf(t, {
    "proc/self/cgroup": "0::/\n",
    "cgroup/memory.max": "536870912\n",
    "cgroup/memory.current": "400000000\n",
    "cgroup/memory.stat": "anon 1\nfile 2\ninactive_file 100000000\n",
    "cgroup/cpu.max": "150000 100000\n",
  });

  assert.deepEqual(limits, {
    cpus: 1.5,
    memoryMaxBytes: 536_870_912,
    memoryUsedBytes: 300_000_000,
  });
});

test("reads the limits of a container with cgroup version 1", async (t) => {
  const limits = await limitsOf(t, {
    "proc/self/cgroup": "4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n",
    "cgroup/memory/memory.limit_in_bytes": "1073741824\n",
    "cgroup/memory/memory.usage_in_bytes": "1000\n",
    "cgroup/memory/memory.stat": "total_inactive_file 400\n",
    "cgroup/cpu/cpu.cfs_quota_us": "50000\n",
    "cgroup/cpu/cpu.cfs_period_us": "100000\n",
  });

  assert.deepEqual(limits, { cpus: 0.5, memoryMaxBytes: 1_073_741_824, memoryUsedBytes: 600 });
});

test("takes the tightest limit between our group and the root", async (t) => {
  const limits = await limitsOf(t, {
    "proc/self/cgroup": "0::/system.slice/infragpt.service\n",
    "cgroup/system.slice/memory.max": "2000\n",
    "cgroup/system.slice/memory.current": "500\n",
    "cgroup/system.slice/infragpt.service/memory.max": "max\n",
    "cgroup/system.slice/infragpt.service/cpu.max": "max 100000\n",
  });

  assert.deepEqual(limits, { cpus: undefined, memoryMaxBytes: 2000, memoryUsedBytes: 500 });
});

test("finds no limit where none is set", async (t) => {
  const limits = await limitsOf(t, {
    "proc/self/cgroup": "4:memory:/a\n1:cpu:/\n0::/\n",
    "cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n",
    "cgroup/cpu/cpu.cfs_quota_us": "-1\n",
    "cgroup/cpu/cpu.cfs_period_us": "100000\n",
  });

  assert.deepEqual(limits, {
    cpus: undefined,
    memoryMaxBytes: undefined,
    memoryUsedBytes: undefined,
  });
  assert.deepEqual(await limitsOf(t, {}), limits);
});
