export interface Usage {
  readonly kind: "usage";
  readonly cpuMs: number;
  readonly rssMb: number;
}

/** Tells the parent what this process has used, each time it asks, and ends with it. */
export function answerUsage(): void {
  process.on("disconnect", () => process.exit());
  process.on("message", () => process.send?.(usage()));
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return {
    kind: "usage",
    cpuMs: (user + system) / 1000,
    rssMb: process.memoryUsage.rss() / 1048576,
  };
}
