import type { Agent, RequestInit as AgentRequest, Response as AgentResponse } from "undici";
import { deadline } from "./abort.ts";
import {
  EgressRefused,
  guardedConnector,
  systemResolve,
  type ResolveName,
} from "./egress-connect.ts";
import { assertAllowedUrl, type EgressRules } from "./egress-rules.ts";
import { AppError } from "./errors.ts";

export interface GuardedFetchOptions extends Partial<EgressRules> {
  /** The whole call, redirects and body included: 10 s. */
  readonly timeoutMs?: number;
  /** Of the unpacked body: 5 MiB. */
  readonly responseBytesMax?: number;
  /** 3 */
  readonly redirectsMax?: number;
  /** The system's resolver otherwise. */
  readonly resolve?: ResolveName;
}

export interface GuardedRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes and text only, so that a redirect can send them again. */
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** Call it like fetch; the answer's body has been read whole. Close it when nobody calls any more. */
export interface GuardedFetch extends AsyncDisposable {
  (url: string | URL, request?: GuardedRequest): Promise<Response>;
}

const DEFAULTS = {
  isLoopbackAllowed: false,
  ports: [443, 8443],
  networksDenied: [],
  timeoutMs: 10_000,
  responseBytesMax: 5 * 1024 * 1024,
  redirectsMax: 3,
  resolve: systemResolve,
} as const satisfies GuardedFetchOptions;

/** What may follow a redirect to another origin; everything else may be a secret. */
const HEADERS_FOR_ANYBODY = new Set(["accept", "accept-language", "content-type", "user-agent"]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const BODILESS = new Set([101, 103, 204, 205, 304]);

/**
 * The fetch for every address that a tenant, a plug-in or an answer can influence. It reaches
 * public hosts over https only, whatever form an address has and wherever a redirect leads, knows no
 * proxy of the environment, and bounds time and size. Throws AppError: invalid_request for an address
 * that is refused, timeout, and unavailable for all else; the reason is in `cause`, for the log.
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const limits = { ...DEFAULTS, ...options };
  let opening: Promise<Client> | undefined;

  async function guardedFetch(
    target: string | URL,
    request: GuardedRequest = {},
  ): Promise<Response> {
    const url = URL.parse(String(target));
    if (!url) throw new AppError("invalid_request", "This is not an address.");
    // Before anything is loaded or resolved.
    assertAllowedUrl(url, limits);
    const caller = request.signal ?? new AbortController().signal;
    const signal = deadline(caller, limits.timeoutMs);
    try {
      opening ??= openClient(limits);
      return await follow(await opening, { url, request, signal }, limits);
    } catch (error) {
      throw caller.aborted ? error : asEgressError(error, signal);
    }
  }

  return Object.assign(guardedFetch, {
    async [Symbol.asyncDispose]() {
      const client = await opening;
      await client?.agent.destroy();
    },
  });
}

type Limits = Required<Omit<GuardedFetchOptions, "hostsAllowed">> & EgressRules;

interface Client {
  readonly agent: Agent;
  fetch(url: URL, init: AgentRequest): Promise<AgentResponse>;
}

/** undici takes 110 ms to load: not for a service that calls nobody. */
async function openClient(limits: Limits): Promise<Client> {
  const { Agent: AgentClass, fetch } = await import("undici");
  const agent = new AgentClass({
    connect: guardedConnector(limits, limits.resolve, limits.timeoutMs),
    allowH2: false,
    headersTimeout: limits.timeoutMs,
    bodyTimeout: limits.timeoutMs,
  });
  return { agent, fetch: (url, init) => fetch(url, { ...init, dispatcher: agent }) };
}

interface Call {
  readonly url: URL;
  readonly request: GuardedRequest;
  readonly signal: AbortSignal;
}

async function follow(client: Client, first: Call, limits: Limits): Promise<Response> {
  let call = first;
  for (let hop = 0; ; hop += 1) {
    const { method = "GET", headers = {}, body } = call.request;
    const answer = await client.fetch(call.url, {
      method,
      headers,
      redirect: "manual",
      signal: call.signal,
      ...(body === undefined ? {} : { body }),
    });
    const location = REDIRECTS.has(answer.status) ? answer.headers.get("location") : null;
    if (location === null) return readWhole(answer, limits.responseBytesMax);
    await answer.body?.cancel();
    if (hop >= limits.redirectsMax) {
      throw new AppError("unavailable", "The address leads from one redirect to the next.");
    }
    call = nextCall(call, answer.status, location);
    assertAllowedUrl(call.url, limits);
  }
}

function nextCall({ url, request, signal }: Call, status: number, location: string): Call {
  const next = URL.parse(location, url);
  if (!next) throw new AppError("unavailable", "The address redirects to none.");
  // A fragment is for browsers.
  next.hash = "";
  const { method = "GET" } = request;
  const isHead = method.toUpperCase() === "HEAD";
  const keepsBody = status === 307 || status === 308;
  const isSameOrigin = next.origin === url.origin;
  if (keepsBody && request.body !== undefined && !isSameOrigin) {
    throw new AppError("unavailable", "The address redirects what was sent to another host.");
  }
  const headers = Object.entries(request.headers ?? {}).filter(([name]) => {
    const lower = name.toLowerCase();
    if (!keepsBody && lower === "content-type") return false;
    return isSameOrigin || HEADERS_FOR_ANYBODY.has(lower);
  });
  const { body: _body, ...rest } = request;
  const kept = keepsBody ? request : { ...rest, method: isHead ? "HEAD" : "GET" };
  return { url: next, request: { ...kept, headers: Object.fromEntries(headers) }, signal };
}

/** Counted after unpacking, chunk by chunk: a small bomb ends at the limit too. */
async function readWhole(answer: AgentResponse, bytesMax: number): Promise<Response> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > bytesMax) {
      throw new AppError("unavailable", `The answer is larger than ${bytesMax} bytes.`);
    }
    chunks.push(chunk);
  }
  const headers = new Headers([...answer.headers]);
  // They speak of the packed body.
  headers.delete("content-encoding");
  headers.delete("content-length");
  const { status, statusText } = answer;
  const body = BODILESS.has(status) ? null : new Blob(chunks);
  return new Response(body, { status, statusText, headers });
}

function asEgressError(error: unknown, signal: AbortSignal): AppError {
  if (error instanceof AppError) return error;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof EgressRefused) {
    // Not where it leads: that would make us a scanner of our own network.
    const message = "This address may not be called: it leads into a private network.";
    return new AppError("invalid_request", message, { cause });
  }
  if (signal.aborted) {
    return new AppError("timeout", "The address did not answer in time.", { cause });
  }
  return new AppError("unavailable", "The address cannot be reached.", { cause });
}
