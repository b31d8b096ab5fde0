/** A measurement, or why there is none: a reading never fails the answer. */
export type Reading<Value> =
  | { readonly kind: "read"; readonly value: Value }
  | { readonly kind: "unavailable"; readonly reason: string };

export interface Load {
  /** Averages of the run queue over 1, 5 and 15 minutes. */
  readonly averages: readonly [number, number, number];
  /** CPUs that this process may use: whole cores, or the fraction a container is limited to. */
  readonly cpus: number;
  /** Set where a container's limit is lower than the machine. */
  readonly machineCpus: number;
  /** Shares of the sample in percent, over all cores of the machine. */
  readonly busyPercent: number;
  /** Waiting for disks. Undefined where the system does not tell. */
  readonly ioWaitPercent: number | undefined;
  /** Taken by the hypervisor. */
  readonly stealPercent: number | undefined;
  readonly uptimeSeconds: number;
}

export interface Memory {
  readonly totalBytes: number;
  /** What new work can take without swapping. */
  readonly availableBytes: number;
  readonly swapTotalBytes: number;
  readonly swapUsedBytes: number;
  /** True when the figures are a container's limit and use, not the machine's. */
  readonly isContainerLimit: boolean;
}

export interface Disk {
  readonly mount: string;
  readonly device: string;
  readonly sizeBytes: number;
  /** What an ordinary user can still write. */
  readonly availableBytes: number;
  /** As `df` says: used of what ordinary users can have. */
  readonly usedPercent: number;
  /** Undefined where the file system has no fixed number of inodes. */
  readonly inodesUsedPercent: number | undefined;
}

export interface Disks {
  readonly disks: readonly Disk[];
  /** Mounts that were not measured: network file systems may hang. */
  readonly skipped: readonly string[];
}

export interface Listener {
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  /** Undefined where another user's process hides it. */
  readonly process: { readonly pid: number; readonly name: string } | undefined;
}

export interface Process {
  readonly pid: number;
  readonly name: string;
  /** Percent of one core over the sample: two busy threads are 200. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  /** Waits for a disk or another device and cannot be interrupted. */
  readonly isBlocked: boolean;
}

export interface Processes {
  /** All that were seen, busiest first. */
  readonly processes: readonly Process[];
  /** More existed than were read. */
  readonly isTruncated: boolean;
  /** Only those of our own container are visible. */
  readonly isContainer: boolean;
}

/** Reads one machine. Each function may throw; `readMachine` bounds it and turns that into a Reading. */
export interface MachineReader {
  readLoad(sampleMs: number): Promise<Load>;
  readMemory(): Promise<Memory>;
  readDisks(): Promise<Disks>;
  readListeners(): Promise<readonly Listener[]>;
  readProcesses(sampleMs: number): Promise<Processes>;
}

export interface Machine {
  readonly load: Reading<Load>;
  readonly memory: Reading<Memory>;
  readonly disks: Reading<Disks>;
  readonly listeners: Reading<readonly Listener[]>;
  readonly processes: Reading<Processes>;
}
