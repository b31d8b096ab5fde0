import { z } from "zod";

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
export const StartOrder = z.strictObject({
  /** 0: a free one. */
  port: z.int().min(0),
  behaviour: z.string(),
  backend: z.string(),
  /** Numbers of requests go on from here after a restart. */
  requestsBefore: z.int().min(0),
});
export type StartOrder = z.infer<typeof StartOrder>;
