// Our service as it runs in production, told where the Slack, the database and the agent of the measurement are.
import { createApp } from "#app";
import { createLog, createScrubber } from "#platform";
import { configOf } from "../test/support/service-config.ts";

const config = configOf(JSON.parse(process.argv[2] ?? "{}"));
const app = createApp(config, {
  log: createLog({ level: "error", format: "json", scrubber: createScrubber() }),
});
process.on("disconnect", () => process.exit());
process.on("message", () => process.send?.(usage()));
await app.start();
process.send?.({ kind: "ready" });

function usage(): object {
  const { user, system } = process.cpuUsage();
  return {
    kind: "usage",
    cpuMs: (user + system) / 1000,
    rssMb: process.memoryUsage.rss() / 1048576,
  };
}
