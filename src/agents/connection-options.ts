import type { Secret } from "#platform";
import type { AgentConfig } from "./model.ts";

/** How a channel to this agent is opened. */
export function connectionOptions({ endpoint, tls, token }: AgentConfig): {
  endpoint: string;
  tls: boolean;
  token?: Secret;
} {
  return { endpoint, tls, ...(token === undefined ? {} : { token }) };
}
