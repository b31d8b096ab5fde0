import type { ParseArgsOptionDescriptor } from "node:util";
import type { CliContext } from "./terminal.ts";

/** Options as `parseArgs` gives them; none of ours may be given several times. */
export type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

interface Option extends ParseArgsOptionDescriptor {
  readonly help: string;
  /** What stands for the value in the help: "id". */
  readonly value?: string;
}

/** One command. Its code is loaded when it runs, so that help and mistakes are answered at once. */
export interface Command {
  readonly summary: string;
  /** Behind the command's name: `"<question>"`. */
  readonly usage: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly isTakingWords: boolean;
  run(context: CliContext, values: Values, words: readonly string[]): Promise<number>;
}

const CONFIG: Option = {
  type: "string",
  value: "file",
  help: "Configuration file; INFRAGPT_CONFIG and ./config.yaml otherwise",
};
const JSON_OUTPUT: Option = { type: "boolean", help: "Answer for programs" };
export const HELP: Option = { type: "boolean", short: "h", help: "Show this" };

export const COMMANDS: Readonly<Record<string, Command>> = {
  start: {
    summary: "Run the service until SIGTERM or Ctrl-C (default)",
    usage: "",
    options: { config: CONFIG },
    isTakingWords: false,
    run: async (context, values) => (await import("./start.ts")).start(context, values),
  },
  ask: {
    summary: "Ask a question and read the answer here",
    usage: '"<question>"',
    options: {
      conversation: { type: "string", value: "id", help: "Continue a conversation" },
      endpoint: {
        type: "string",
        value: "host:port",
        help: "A service elsewhere; https://host:port for TLS",
      },
      token: {
        type: "string",
        value: "igpt_…",
        help: "Its service token; INFRAGPT_TOKEN otherwise",
      },
      config: CONFIG,
      json: JSON_OUTPUT,
    },
    isTakingWords: true,
    run: async (...args) => (await import("./ask.ts")).ask(...args),
  },
  doctor: {
    summary: "Check configuration, database, keys, Slack, GitHub, agents and ports",
    usage: "",
    options: { config: CONFIG, json: JSON_OUTPUT },
    isTakingWords: false,
    run: async (context, values) => (await import("./doctor.ts")).doctor(context, values),
  },
  migrate: {
    summary: "Bring the database schema up to this version",
    usage: "",
    options: { config: CONFIG, json: JSON_OUTPUT },
    isTakingWords: false,
    run: async (context, values) => (await import("./migrate.ts")).migrateDatabase(context, values),
  },
  keys: {
    summary: "List encryption keys, replace the one that seals, or end a former one",
    usage: "list | rotate | retire <id>",
    options: {
      reencrypt: { type: "boolean", help: "rotate: give every record a new data key too" },
      config: CONFIG,
      json: JSON_OUTPUT,
    },
    isTakingWords: true,
    run: async (...args) => (await import("./keys.ts")).keys(...args),
  },
  slack: {
    summary: "Print the manifest of a Slack app that fits, or the page that makes it",
    usage: "manifest | link",
    options: {
      name: { type: "string", value: "name", help: "What the app is called; InfraGPT otherwise" },
      config: CONFIG,
      json: JSON_OUTPUT,
    },
    isTakingWords: true,
    run: async (...args) => (await import("./slack.ts")).slack(...args),
  },
  github: {
    summary: "Print the page of GitHub that makes an app that fits",
    usage: "link",
    options: {
      name: { type: "string", value: "name", help: "What the app is called; InfraGPT otherwise" },
      organization: { type: "string", value: "login", help: "Who owns the app; you otherwise" },
      config: CONFIG,
      json: JSON_OUTPUT,
    },
    isTakingWords: true,
    run: async (...args) => (await import("./github.ts")).github(...args),
  },
  jobs: {
    summary: "List jobs that failed for good, or run one again",
    usage: "list | replay <id>",
    options: { config: CONFIG, json: JSON_OUTPUT },
    isTakingWords: true,
    run: async (...args) => (await import("./jobs.ts")).jobs(...args),
  },
  login: {
    summary: "Print a link that signs in to the console of local mode, once",
    usage: "",
    options: { config: CONFIG, json: JSON_OUTPUT },
    isTakingWords: false,
    run: async (context, values) => (await import("./login.ts")).login(context, values),
  },
  tokens: {
    summary: "Make, list or end the service tokens of programs",
    usage: "create <name> --scopes <a,b> | list | revoke <id>",
    options: {
      scopes: { type: "string", value: "a,b", help: "create: what it may do" },
      days: { type: "string", value: "n", help: "create: how long it lives; 90 otherwise" },
      organization: { type: "string", value: "id", help: "Whose; the local one otherwise" },
      config: CONFIG,
      json: JSON_OUTPUT,
    },
    isTakingWords: true,
    run: async (...args) => (await import("./tokens.ts")).tokens(...args),
  },
  audit: {
    summary: "Check that nobody changed the audit log, or write it out",
    usage: "verify | export",
    options: {
      organization: { type: "string", value: "id", help: "One organization; all otherwise" },
      against: { type: "string", value: "file", help: "verify: an earlier export to compare with" },
      from: { type: "string", value: "time", help: "export: from this time on" },
      to: { type: "string", value: "time", help: "export: before this time" },
      config: CONFIG,
      json: JSON_OUTPUT,
    },
    isTakingWords: true,
    run: async (...args) => (await import("./audit.ts")).audit(...args),
  },
};
