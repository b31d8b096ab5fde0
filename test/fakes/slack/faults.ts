import type { Fault, FaultOptions } from "./model.ts";

interface PlannedFault {
  readonly method: string;
  readonly fault: Fault;
  readonly options: FaultOptions;
  timesLeft: number;
}

interface Target {
  readonly method: string;
  readonly teamId: string | undefined;
  readonly channelId: unknown;
}

/** What is planned to go wrong. */
export class Faults {
  #planned: PlannedFault[] = [];

  plan(method: string, fault: Fault, options: FaultOptions): void {
    this.#planned.push({ method, fault, options, timesLeft: options.times ?? 1 });
  }

  clear(): void {
    this.#planned = [];
  }

  /** Uses up the first fault that fits. */
  take(target: Target): Fault | undefined {
    const planned = this.#planned.find((each) => fits(each, target));
    if (!planned) return undefined;
    planned.timesLeft -= 1;
    if (planned.timesLeft <= 0) this.#planned = this.#planned.filter((each) => each !== planned);
    return planned.fault;
  }
}

function fits({ method, options }: PlannedFault, target: Target): boolean {
  if (method !== "*" && method !== target.method) return false;
  if (options.teamId !== undefined && options.teamId !== target.teamId) return false;
  return options.channelId === undefined || options.channelId === target.channelId;
}
