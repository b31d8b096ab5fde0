// The peer: a minimal Bolt app as its documentation shows it. It stores nothing and answers by itself.
import { App, LogLevel } from "@slack/bolt";

const apiUrl = process.argv[2] ?? "";
const app = new App({
  token: "xoxb-bench",
  appToken: "xapp-bench",
  socketMode: true,
  logLevel: LogLevel.ERROR,
  clientOptions: { slackApiUrl: apiUrl },
});
app.event("app_mention", async ({ event, say }) => {
  await say({ text: `You said: ${event.text.replace(/<@[^>]+>\s*/, "")}`, thread_ts: event.ts });
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
