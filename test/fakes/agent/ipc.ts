import type { ReceivedRequest } from "./fake-agent.ts";

/** What the test tells the agent's process. Each is answered by `done`. */
export type Order =
  | { readonly kind: "behaviour"; readonly behaviour: string }
  | { readonly kind: "backend"; readonly endpoint: string }
  | { readonly kind: "health"; readonly isServing: boolean }
  | { readonly kind: "pause" }
  | { readonly kind: "release" };

/** What the agent's process tells the test. */
export type Report =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "request"; readonly request: ReceivedRequest }
  | { readonly kind: "cancelled"; readonly number: number }
  | { readonly kind: "done" };

/** The argument of the agent's process, as JSON. */
export interface StartOrder {
  /** 0: a free one. */
  readonly port: number;
  readonly behaviour: string;
  readonly backend: string;
  /** Numbers of requests go on from here after a restart. */
  readonly requestsBefore: number;
}
