import { availableParallelism, cpus, loadavg, uptime } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Disk, Disks, Listener, Load, MachineReader, Memory, Processes } from "./model.ts";

const ITEMS_MAX = 8000;

/**
 * Reads macOS and other systems without /proc through systeminformation, which runs the system's
 * own tools. It is not used on Linux: see docs/DECISIONS.md.
 */
export async function createPortableReader(): Promise<MachineReader> {
  // Loaded on first use: Linux never pays its 30 ms.
  const tools = (await import("systeminformation")).default;
  return {
    async readLoad(sampleMs): Promise<Load> {
      // The first call starts the sample, the second ends it.
      await tools.currentLoad();
      await sleep(sampleMs);
      const { currentLoad } = await tools.currentLoad();
      const [one = 0, five = 0, fifteen = 0] = loadavg();
      return {
        averages: [one, five, fifteen],
        cpus: availableParallelism(),
        machineCpus: cpus().length,
        busyPercent: currentLoad,
        ioWaitPercent: undefined,
        stealPercent: undefined,
        uptimeSeconds: uptime(),
      };
    },
    async readMemory(): Promise<Memory> {
      const { total, available, swaptotal, swapused } = await tools.mem();
      return {
        totalBytes: total,
        availableBytes: available,
        swapTotalBytes: swaptotal,
        swapUsedBytes: swapused,
        isContainerLimit: false,
      };
    },
    async readDisks(): Promise<Disks> {
      const systems = mustSee(await tools.fsSize(), "disks");
      const disks = systems.slice(0, ITEMS_MAX).map((system): Disk => {
        const reachable = system.used + system.available;
        return {
          mount: system.mount,
          device: system.fs,
          sizeBytes: system.size,
          availableBytes: system.available,
          usedPercent: reachable > 0 ? Math.ceil((system.used / reachable) * 100) : 0,
          inodesUsedPercent: undefined,
        };
      });
      return { disks: disks.toSorted((a, b) => b.usedPercent - a.usedPercent), skipped: [] };
    },
    async readListeners(): Promise<Listener[]> {
      const connections = mustSee(await tools.networkConnections(), "network connections");
      return connections
        .filter(({ state }) => state === "LISTEN")
        .slice(0, ITEMS_MAX)
        .map(({ protocol, localAddress, localPort, pid, process }): Listener => ({
          protocol: protocol.startsWith("udp") ? "udp" : "tcp",
          address: localAddress,
          port: Number(localPort),
          process: pid > 0 ? { pid, name: process } : undefined,
        }))
        .toSorted((a, b) => a.port - b.port);
    },
    async readProcesses(sampleMs): Promise<Processes> {
      // The first call starts the sample, the second ends it.
      await tools.processes();
      await sleep(sampleMs);
      const list = mustSee((await tools.processes()).list, "processes");
      return {
        isTruncated: list.length > ITEMS_MAX,
        isContainer: false,
        processes: list
          .slice(0, ITEMS_MAX)
          .map(({ pid, name, cpu, memRss, state }) => ({
            pid,
            name,
            // It reports shares of the whole machine.
            cpuPercent: cpu * cpus().length,
            memoryBytes: memRss * 1024,
            isBlocked: state === "blocked",
          }))
          .toSorted((a, b) => b.cpuPercent - a.cpuPercent),
      };
    },
  };
}

/** The library answers with nothing where a tool is missing. No machine has none of these, so that is a failure. */
function mustSee<Item>(items: Item[], what: string): Item[] {
  if (items.length === 0) throw new Error(`the system's tools to list ${what} are missing`);
  return items;
}
