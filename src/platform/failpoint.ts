/** The places on a message's way where a crash must lose nothing and repeat nothing. */
export type FailpointName = "ingested" | "leased" | "agent_answered" | "posted" | "marked";

/** Called by the rooms as they pass a place. Only crash tests make it do something. */
export type Failpoint = (name: FailpointName) => void;

export function noFailpoint(_name: FailpointName): void {
  // Production passes through.
}

/** Ends this process at `name` as a power cut does: no handler runs, nothing is flushed. */
export function killAt(name: FailpointName): Failpoint {
  return function killHere(reached: FailpointName): void {
    if (reached === name) process.kill(process.pid, "SIGKILL");
  };
}
