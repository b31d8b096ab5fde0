// The peer: a minimal Bolt app as its documentation shows it. It stores nothing and answers by itself.
import { App, LogLevel } from "@slack/bolt";
import { answerUsage } from "./usage.ts";

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
answerUsage();
await app.start();
process.send?.({ kind: "ready" });
