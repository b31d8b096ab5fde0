import type { Secret } from "@infragpt/connector-kit";
import type { SocketTimings } from "./socket-timings.ts";

/** How to reach one Slack app. */
export interface SlackConfig {
  /** `xapp-…`, scope `connections:write`. Without it there is no Socket Mode. */
  readonly appToken?: Secret;
  /** Several while one is being replaced. Without any there are no webhooks. */
  readonly signingSecrets?: readonly Secret[];
  /** `xoxb-…` of a single workspace that is connected without OAuth. */
  readonly botToken?: Secret;
  readonly clientId?: string;
  readonly clientSecret?: Secret;
  readonly transport: "socket" | "http";
  /** Such as https://slack.com/api/. */
  readonly apiUrl: string;
  /** https://slack.com/oauth/v2/authorize by default. */
  readonly authorizeUrl?: string;
  /** Slack allows ten per app; two leave no gap while one is renewed. */
  readonly sockets: number;
  /** The deadline of one Web API call. */
  readonly callTimeoutMs: number;
}

/** What tests replace. */
export interface SlackDeps {
  readonly clock?: { now(): Date };
  /** From 0 to 1, like Math.random: it spreads reconnects. */
  readonly random?: () => number;
  readonly timings?: Partial<SocketTimings>;
}
