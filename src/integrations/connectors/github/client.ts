import type { App } from "@octokit/app";
import type { Octokit } from "@octokit/core";
import { ConnectorError, fetchWhole, isRecord, type Secret } from "@infragpt/connector-kit";
import type { Abortable, GitHubConfig } from "./config.ts";
import { toConnectorError } from "./errors.ts";

/** Octokit's typed request; every failure is a ConnectorError. One attempt. */
export type GitHubRequest = Octokit["request"];

/** A delivery that was missed: payloads have up to 25 MB, and its headers stand around it. */
const ANSWER_BYTES_MAX = 26 * 1024 * 1024;
const REDIRECTS_MAX = 3;
/** They lead to the same thing under its present name, for every method. */
const MOVED = new Set([301, 307, 308]);
/** Media types whose answers are text; all others are JSON. */
const TEXT_FORMATS = new Set(["diff", "raw"]);

export interface GitHubClient {
  /** Speaks as the app itself, by a JWT of its key. */
  asApp(options: Abortable): Promise<GitHubRequest>;
  /** Speaks with the token of an installation or of a person. */
  withToken(token: Secret, options: Abortable): Promise<GitHubRequest>;
}

type ClientConfig = Pick<GitHubConfig, "apiUrl" | "appId" | "privateKey" | "callTimeoutMs">;

/** Octokit takes 60 ms to load, so it is loaded by the first call. */
export function createGitHubClient(
  config: ClientConfig,
  clock: { now(): Date } = { now: () => new Date() },
): GitHubClient {
  let opening: Promise<{ readonly app: App; readonly plain: Octokit }> | undefined;

  async function open() {
    opening ??= openOctokit(config, clock);
    return opening;
  }

  return {
    async asApp({ signal }) {
      const { app } = await open();
      return app.octokit.request.defaults({ request: { signal } });
    },
    async withToken(token, { signal }) {
      const { plain } = await open();
      const headers = { authorization: `Bearer ${token.reveal()}` };
      return plain.request.defaults({ headers, request: { signal } });
    },
  };
}

async function openOctokit(
  config: ClientConfig,
  clock: { now(): Date },
): Promise<{ readonly app: App; readonly plain: Octokit }> {
  const [{ App: AppClass }, { Octokit: OctokitClass }] = await Promise.all([
    import("@octokit/app"),
    import("@octokit/core"),
  ]);
  const Quiet = OctokitClass.defaults({
    baseUrl: config.apiUrl,
    userAgent: "infragpt",
    log: SILENT_LOG,
    request: { fetch: createFetch(config) },
  });
  const app = new AppClass({
    appId: config.appId,
    privateKey: config.privateKey.reveal(),
    Octokit: Quiet,
    log: SILENT_LOG,
  });
  const plain = new Quiet();
  for (const octokit of [app.octokit, plain]) {
    octokit.hook.error("request", async (error, options) => {
      const known = asConnectorError(error, `${options.method} ${pathOf(options)}`, clock);
      const isOfApp = octokit === app.octokit && (await isAppRefused(app, known, options));
      throw isOfApp ? appRefused() : known;
    });
    octokit.hook.after("request", ({ status, data }, options) => {
      const isText = TEXT_FORMATS.has(options.mediaType.format ?? "");
      if (isText || status === 204 || status === 302 || typeof data === "object") return;
      const call = `${options.method} ${pathOf(options)}`;
      throw new ConnectorError("uncertain", `the answer of GitHub to ${call} is not JSON`);
    });
  }
  return { app, plain };
}

/**
 * GitHub answers 404 for an installation that is gone, and for an app that it does not know: only what
 * it answers about the app itself tells one from the other.
 */
async function isAppRefused(
  app: App,
  { kind, vendorCode }: ConnectorError,
  { url, request }: { readonly url: string; readonly request: { signal?: AbortSignal } },
): Promise<boolean> {
  if (kind === "unauthorized") return true;
  if (vendorCode !== "http_404") return false;
  if (url === "/app") return true;
  try {
    await app.octokit.request("GET /app", { request });
    return false;
  } catch (error) {
    if (error instanceof ConnectorError && error.vendorCode === APP_REFUSED) return true;
    throw error;
  }
}

const APP_REFUSED = "app_refused";

/** The key is the service's own: no account can mend this by connecting again. */
function appRefused(): ConnectorError {
  const message = "GitHub refuses the app's key: the operator has to check private_key and app_id";
  return new ConnectorError("unauthorized", message, { vendorCode: APP_REFUSED });
}

/** The route's own words, without what a caller put into them. */
function pathOf({ url }: { readonly url: string }): string {
  return URL.parse(url)?.pathname ?? url;
}

function asConnectorError(error: unknown, call: string, clock: { now(): Date }): ConnectorError {
  if (error instanceof ConnectorError) return error;
  if (!(error instanceof Error)) return new ConnectorError("uncertain", `${call} failed`);
  // Octokit wraps what our fetch throws.
  if (error.cause instanceof ConnectorError) return error.cause;
  if ("response" in error && isRecord(error.response)) {
    const { status, headers, data } = error.response;
    if (typeof status === "number" && isRecord(headers)) {
      return toConnectorError({ status, headers, data, call }, clock.now().getTime());
    }
  }
  // Such as a key that signs nothing: nothing was sent.
  return new ConnectorError("unavailable", `${call} could not be sent`);
}

/** Renamed repositories answer with a redirect on the same host, and nothing else is followed. */
function createFetch({ apiUrl, callTimeoutMs }: ClientConfig) {
  const { origin } = new URL(apiUrl);
  return async function fetchGitHub(address: string, init: RequestInit): Promise<Response> {
    const { method = "GET", headers, body, redirect, signal } = init;
    const { pathname } = new URL(address);
    let url = new URL(address);
    for (let hop = 0; ; hop += 1) {
      const response = await fetchWhole({
        vendor: "GitHub",
        action: `${method} ${pathname}`,
        url,
        method,
        headers: Object.fromEntries(new Headers(headers)),
        ...(typeof body === "string" && { body }),
        timeoutMs: callTimeoutMs,
        answerBytesMax: ANSWER_BYTES_MAX,
        signal: signal ?? new AbortController().signal,
      });
      const next = URL.parse(response.headers.get("location") ?? "", url);
      // 302 leads to another thing: a caller who wants its address reads that itself.
      const isFound = response.status === 302 && redirect !== "manual";
      if (next === null || !(isFound || MOVED.has(response.status))) return response;
      if (next.origin !== origin || hop >= REDIRECTS_MAX) {
        throw new ConnectorError("rejected", `GitHub redirects ${method} ${pathname} elsewhere`);
      }
      url = next;
    }
  };
}

/** Its lines would bypass our log. */
const SILENT_LOG = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}
