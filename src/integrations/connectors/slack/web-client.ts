import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import {
  ConnectorError,
  type Secret,
  isRecord,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { LogLevel, WebClient, type WebAPICallResult } from "@slack/web-api";
import type { SlackConfig } from "./config.ts";
import { toConnectorError } from "./web-errors.ts";

interface CallOptions {
  readonly signal: AbortSignal;
}

/** What a call answered; read it as untrusted. */
interface SlackAnswer {
  readonly body: UntrustedRecord;
  /** From the `x-oauth-scopes` header; undefined when the answer has none. */
  readonly scopes: readonly string[] | undefined;
}

/** One attempt of one Web API method. Throws ConnectorError. */
export interface SlackCaller {
  call(
    /** Undefined for the methods of OAuth, which take the client's secret instead. */
    token: Secret | undefined,
    method: string,
    input: Readonly<Record<string, unknown>>,
    options: CallOptions,
  ): Promise<SlackAnswer>;
}

/** One client holds the bindings of 300 methods; a busy service talks to few workspaces at a time. */
const CLIENTS_MAX = 200;

/**
 * Makes calls through the official client with everything automatic switched off: its retries pause
 * a whole queue for up to half an hour, while our outbox knows better what to repeat.
 */
export function createSlackCaller(
  config: Pick<SlackConfig, "apiUrl" | "callTimeoutMs">,
): SlackCaller {
  const clients = new Map<string, WebClient>();
  // The client takes no signal per call, but it runs each call within its caller's async context.
  const callSignal = new AsyncLocalStorage<AbortSignal>();

  function openClient(token: Secret | undefined): WebClient {
    const key = token ? createHash("sha256").update(token.reveal()).digest("base64") : "";
    const known = clients.get(key);
    const client = known ?? createClient(config, token, callSignal);
    clients.delete(key);
    clients.set(key, client);
    const [oldest] = clients.keys();
    if (clients.size > CLIENTS_MAX && oldest !== undefined) clients.delete(oldest);
    return client;
  }

  return {
    async call(token, method, input, { signal }) {
      if (signal.aborted) {
        throw new ConnectorError("unavailable", `${method} was given up before it was sent`);
      }
      try {
        const result = await callSignal.run(signal, () =>
          openClient(token).apiCall(method, { ...input }),
        );
        return { body: toRecord(result), scopes: result.response_metadata?.scopes };
      } catch (error) {
        throw toConnectorError(error, method);
      }
    },
  };
}

function createClient(
  config: Pick<SlackConfig, "apiUrl" | "callTimeoutMs">,
  token: Secret | undefined,
  callSignal: AsyncLocalStorage<AbortSignal>,
): WebClient {
  return new WebClient(token?.reveal(), {
    slackApiUrl: config.apiUrl,
    allowAbsoluteUrls: false,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: config.callTimeoutMs,
    // Its queue would let a call start in another call's context; callers bound concurrency.
    maxRequestConcurrency: Number.POSITIVE_INFINITY,
    logger: SILENT_LOGGER,
    fetch: async (url, init) => {
      const signals = [init?.signal, callSignal.getStore()].filter((one) => one !== undefined);
      return fetch(url, { ...init, signal: AbortSignal.any(signals) });
    },
  });
}

function toRecord(result: WebAPICallResult): UntrustedRecord {
  const body: unknown = result;
  return isRecord(body) ? body : {};
}

/** Its lines would bypass our log and could carry what callers send. */
const SILENT_LOGGER = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  setLevel: ignore,
  setName: ignore,
  getLevel: () => LogLevel.ERROR,
};

function ignore(): void {}
