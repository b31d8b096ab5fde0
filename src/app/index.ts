import type { ServiceState } from "#agents";
import type { Config } from "#config";
import { startApp, type AppAddresses, type AppDeps, type RunningApp } from "./start-app.ts";

export { githubSettings } from "./connectors.ts";
export { openKeyProvider, placeOfKeys } from "./key-provider.ts";
export type { AppAddresses, AppDeps } from "./start-app.ts";

/** The whole service. */
export interface App {
  /** Resolves when the service takes work. Throws AppError when something it needs is away, KeyringError when the keys do not fit. */
  start(): Promise<void>;
  /** Ends in order within 30 s; also gives up a start that is under way. May be called twice. */
  stop(): Promise<void>;
  /** Known once started. */
  readonly addresses: AppAddresses;
  readonly agentNames: readonly string[];
  /** A one-time link that signs in the admin of local mode; undefined where identity is not local. */
  createLoginLink(): Promise<string | undefined>;
  /** How every part is doing. */
  states(): Promise<ServiceState>;
  /** Connects an account with credentials at hand, as the end of an OAuth flow does. */
  connect: RunningApp["connect"];
}

/** Builds nothing yet: `start` opens every room, bottom to top. */
export function createApp(config: Config, deps: AppDeps): App {
  const givenUp = new AbortController();
  let starting: Promise<RunningApp> | undefined;
  let running: RunningApp | undefined;

  function started(): RunningApp {
    if (running) return running;
    throw new Error("The service has not started.");
  }

  return {
    async start() {
      starting ??= startApp(config, deps, { signal: givenUp.signal });
      running = await starting;
    },
    async stop() {
      givenUp.abort();
      // A start that failed has stopped what it had started; its error went to whoever called start.
      const app = await starting?.catch(() => undefined);
      await app?.stop();
    },
    get addresses() {
      return started().addresses;
    },
    get agentNames() {
      return started().agentNames;
    },
    createLoginLink: () => started().createLoginLink(),
    states: () => started().states(),
    connect: (input, options) => started().connect(input, options),
  };
}
