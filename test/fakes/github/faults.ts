import { STATUS_CODES } from "node:http";

import type { GitHubFault } from "./model.ts";
import { Refusal, badCredentials } from "./refusal.ts";

interface PlannedFault {
  readonly isFor: (route: string) => boolean;
  readonly fault: GitHubFault;
  timesLeft: number;
}

/** What is planned to go wrong. */
export class Faults {
  #planned: PlannedFault[] = [];

  plan(isFor: (route: string) => boolean, fault: GitHubFault, times = 1): void {
    this.#planned.push({ isFor, fault, timesLeft: times });
  }

  clear(): void {
    this.#planned = [];
  }

  /** Uses up the first fault that fits. */
  take(route: string): GitHubFault | undefined {
    const planned = this.#planned.find(({ isFor }) => isFor(route));
    if (!planned) return undefined;
    planned.timesLeft -= 1;
    if (planned.timesLeft <= 0) this.#planned = this.#planned.filter((each) => each !== planned);
    return planned.fault;
  }
}

/** The answer in place of a performed one; undefined when the call is performed first. */
export function refusalOf(fault: GitHubFault | undefined, nowMs: number): Refusal | undefined {
  switch (fault?.kind) {
    case "http":
      return new Refusal(fault.status, fault.status < 500 ? phrase(fault.status) : "Server Error");
    case "unauthorized":
      return badCredentials();
    case "rate_limited":
      return limited(429, SECONDARY, { "retry-after": String(fault.retryAfterSeconds) });
    case "secondary_limit":
      return limited(403, SECONDARY, { "retry-after": String(fault.retryAfterSeconds) });
    case "primary_limit":
      return limited(403, "API rate limit exceeded for installation ID 1.", {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(Math.ceil(nowMs / 1_000) + fault.resetInSeconds),
      });
    case "hang":
    case "close_after_performing":
    case "bad_json":
    case undefined:
      return undefined;
  }
}

const SECONDARY =
  "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";

function limited(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>>,
): Refusal {
  return new Refusal(status, message, {}, headers);
}

function phrase(status: number): string {
  return STATUS_CODES[status] ?? "Error";
}
