export { startFakeGitHub } from "./start-fake-github.ts";
export type { FakeGitHub } from "./fake-github.ts";
export type * from "./model.ts";
