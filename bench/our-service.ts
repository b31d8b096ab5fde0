// Our service as it runs in production, told where the vendor, the database and the agent of the measurement are.
import { createApp } from "#app";
import { createLog, createScrubber } from "#platform";
import { aServiceToken } from "../test/support/service.ts";
import { configOf, type ServiceSpec } from "../test/support/service-config.ts";
import { answerUsage } from "./usage.ts";

const spec: ServiceSpec = JSON.parse(process.argv[2] ?? "{}");
const app = createApp(configOf(spec), {
  log: createLog({ level: "error", format: "json", scrubber: createScrubber() }),
});
answerUsage();
await app.start();
process.send?.({
  kind: "ready",
  url: app.addresses.http,
  // For connecting an account, as a person does.
  token: spec.github && (await aServiceToken(app, ["integration:connect", "integration:read"])),
});
