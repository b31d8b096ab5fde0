export { startFakeSlack } from "./start-fake-slack.ts";
export type { FakeSlack, MessageWaitOptions } from "./fake-slack.ts";
export type * from "./model.ts";
