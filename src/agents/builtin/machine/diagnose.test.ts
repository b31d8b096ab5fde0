import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "./diagnose.ts";
import type { Disk, Load, Machine, Memory, Process } from "./model.ts";

const GIB = 1024 ** 3;

interface Facts {
  readonly load?: Partial<Load>;
  readonly memory?: Partial<Memory>;
  readonly disk?: Partial<Disk>;
  readonly processes?: readonly Partial<Process>[];
}

/** A healthy machine but for what the test says. */
function aMachine({ load, memory, disk, processes = [] }: Facts): Machine {
  return {
    load: {
      kind: "read",
      value: {
        averages: [0.2, 0.2, 0.2],
        cpus: 2,
        machineCpus: 2,
        busyPercent: 10,
        ioWaitPercent: 0,
        stealPercent: 0,
        uptimeSeconds: 60,
        ...load,
      },
    },
    memory: {
      kind: "read",
      value: {
        totalBytes: 16 * GIB,
        availableBytes: 8 * GIB,
        swapTotalBytes: 0,
        swapUsedBytes: 0,
        isContainerLimit: false,
        ...memory,
      },
    },
    disks: {
      kind: "read",
      value: {
        disks: [
          {
            mount: "/",
            device: "/dev/vda",
            sizeBytes: 100 * GIB,
            availableBytes: 60 * GIB,
            usedPercent: 40,
            inodesUsedPercent: 5,
            ...disk,
          },
        ],
        skipped: [],
      },
    },
    listeners: { kind: "read", value: [] },
    processes: {
      kind: "read",
      value: {
        isTruncated: false,
        isContainer: false,
        processes: processes.map((process) => ({
          pid: 7,
          name: "node",
          cpuPercent: 0,
          memoryBytes: GIB,
          isBlocked: false,
          ...process,
        })),
      },
    },
  };
}

function sentencesOf(facts: Facts): string[] {
  return diagnose(aMachine(facts)).map(({ sentence }) => sentence);
}

test("finds nothing on a healthy machine", () => {
  assert.deepEqual(sentencesOf({}), []);
});

test("names the busy CPU and who keeps it busy", () => {
  assert.deepEqual(
    sentencesOf({
      load: { averages: [7.9, 4, 2], busyPercent: 98 },
      processes: [{ cpuPercent: 95 }],
    }),
    ["CPU is the bottleneck: 98 % busy, load 7.9 on 2 cores; `node` (pid 7) uses 95 % of one core"],
  );
});

test("does not blame the CPU for a load that waits for disks", () => {
  assert.deepEqual(
    sentencesOf({ load: { averages: [9, 9, 9], busyPercent: 8, ioWaitPercent: 75 } }),
    ["Disks are slow: the CPUs wait for them 75 % of the time"],
  );
});

test("remembers the load of the last minute when this moment is quiet", () => {
  assert.deepEqual(sentencesOf({ load: { averages: [6.8, 5, 3], busyPercent: 16 } }), [
    "More work than the CPUs can take was waiting during the last minute: load 6.8 on 2 cores, 16 % busy at this moment",
  ]);
});

test("measures a container against its own limit", () => {
  const load = { cpus: 0.5, machineCpus: 64, busyPercent: 3, averages: [1, 1, 1] } as const;

  assert.deepEqual(sentencesOf({ load, processes: [{ cpuPercent: 49 }] }), [
    "CPU is the bottleneck: 98 % busy, load 1.0 on 0.5 cores; `node` (pid 7) uses 49 % of one core",
  ]);
  assert.deepEqual(
    sentencesOf({ load: { ...load, busyPercent: 99 }, processes: [{ cpuPercent: 1 }] }),
    [],
  );
});

test("says that memory is short before anything else, and who holds it", () => {
  assert.deepEqual(
    sentencesOf({
      memory: { availableBytes: GIB / 2, totalBytes: 8 * GIB, isContainerLimit: true },
      load: { ioWaitPercent: 60 },
      processes: [{ cpuPercent: 3 }, { pid: 9, name: "java", memoryBytes: 6 * GIB }],
    }),
    [
      "Memory is short: 512 MiB of 8.0 GiB of the container's limit available; `java` (pid 9) holds 6.0 GiB",
      "Disks are slow: the CPUs wait for them 60 % of the time",
    ],
  );
});

test("warns of a disk that fills up and of one without inodes", () => {
  assert.deepEqual(sentencesOf({ disk: { usedPercent: 95, availableBytes: 5 * GIB } }), [
    "`/` is nearly full: 95 % used, 5.0 GiB left",
  ]);
  assert.deepEqual(sentencesOf({ disk: { inodesUsedPercent: 100 } }), [
    "`/` runs out of inodes: 100 % used, so no new files soon",
  ]);
});

test("tells a neighbour's load from our own", () => {
  assert.deepEqual(sentencesOf({ load: { stealPercent: 35 } }), [
    "The host is overbooked: the hypervisor takes 35 % of this machine's CPU time",
  ]);
});

test("points at one process that fills one core of many", () => {
  assert.deepEqual(sentencesOf({ processes: [{ cpuPercent: 100 }] }), [
    "`node` (pid 7) uses 100 % of one core: if it is single-threaded, it cannot go faster",
  ]);
});

test("judges from what could be read", () => {
  const machine = aMachine({ disk: { usedPercent: 99, availableBytes: 0 } });
  const unavailable = { kind: "unavailable", reason: "gone" } as const;

  const findings = diagnose({
    ...machine,
    load: unavailable,
    memory: unavailable,
    processes: unavailable,
  });

  assert.deepEqual(
    findings.map(({ kind }) => kind),
    ["disk"],
  );
});
