import { createApp } from "#app";
import { createLog, createScrubber, killAt } from "#platform";
import { configOf, type ServiceSpec } from "./service-config.ts";

const spec: ServiceSpec = JSON.parse(process.argv[2] ?? "{}");
const config = configOf(spec);
const log = createLog({ level: config.logLevel, format: "json", scrubber: createScrubber() });
const app = createApp(config, {
  log,
  ...(spec.failpoint ? { failpoint: killAt(spec.failpoint) } : {}),
});

process.on("SIGTERM", () => {
  void app.stop().then(() => process.disconnect?.());
});
// A test that dies must not leave its services behind.
process.on("disconnect", () => process.exit());
await app.start();
if (process.send) process.send(app.addresses);
