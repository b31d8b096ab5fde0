import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

import { CallArguments, parseBody, readBody } from "./call-arguments.ts";
import { CHAT_METHODS } from "./chat-methods.ts";
import { CONVERSATION_METHODS } from "./conversation-methods.ts";
import { Faults } from "./faults.ts";
import { type Method, requireScope } from "./method.ts";
import type { FakeCall, Fault, JsonObject } from "./model.ts";
import type { OAuth } from "./oauth.ts";
import { OTHER_METHODS } from "./other-methods.ts";
import { Refusal } from "./refusal.ts";
import type { SlackState, Workspace } from "./state.ts";
import { STREAM_METHODS } from "./stream-methods.ts";

const METHODS: Readonly<Record<string, Method>> = {
  ...CHAT_METHODS,
  ...STREAM_METHODS,
  ...CONVERSATION_METHODS,
  ...OTHER_METHODS,
};

export interface WebApiOptions {
  readonly state: SlackState;
  readonly appId: string;
  readonly appToken: string;
  readonly now: () => number;
  readonly oauth: OAuth;
  /** Answers `apps.connections.open`; a number is an HTTP status. */
  readonly openConnection: () => JsonObject | number;
  /** Called when a call of a workspace's bot was performed. */
  readonly onPerformed: (workspace: Workspace, method: string, answer: JsonObject) => void;
  readonly signal: AbortSignal;
}

interface Performed {
  readonly status: number;
  readonly answer: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
}

type CallListener = (call: FakeCall) => void | Promise<void>;

/** Slack's Web API: one address per method, answers with `ok`. */
export class WebApi {
  readonly faults = new Faults();
  readonly calls: FakeCall[] = [];
  readonly #listeners = new Set<{ readonly method: string; readonly listener: CallListener }>();
  readonly #options: WebApiOptions;

  constructor(options: WebApiOptions) {
    this.#options = options;
  }

  listen(method: string, listener: CallListener): Disposable {
    const entry = { method, listener };
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  async handle(method: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { state } = this.#options;
    const raw = parseBody(request.headers["content-type"], await readBody(request));
    const { token: tokenField, ...fields } = raw;
    const token = request.headers.authorization?.replace(/^Bearer /i, "") ?? tokenField;
    const workspace = this.#findWorkspace(token);
    const fault = this.faults.take({
      method,
      teamId: workspace?.teamId,
      channelId: fields["channel"] ?? fields["channel_id"],
    });
    const facts = {
      method,
      at: new Date(),
      arguments: fields,
      ...(workspace ? { teamId: workspace.teamId } : {}),
      ...(fault ? { fault } : {}),
    };
    if (fault && isBeforePerforming(fault)) {
      await this.#tell(facts);
      answerFault(fault, response);
      return;
    }
    const args = new CallArguments(fields);
    const performed = this.#perform(method, token, args, request.headers.authorization);
    await this.#tell({ ...facts, answer: performed.answer });
    if (workspace && performed.answer["ok"] === true) {
      this.#options.onPerformed(workspace, method, performed.answer);
    }
    state.change.notify();
    await this.#answer(performed, fault, response);
  }

  /** Remembers the call, then waits for those who watch the method. */
  async #tell(call: FakeCall): Promise<void> {
    this.calls.push(call);
    this.#options.state.change.notify();
    for (const { method, listener } of this.#listeners) {
      if (method === "*" || method === call.method) await listener(call);
    }
  }

  #findWorkspace(token: unknown): Workspace | undefined {
    try {
      return this.#options.state.authenticate(typeof token === "string" ? token : undefined);
    } catch {
      return undefined;
    }
  }

  #perform(
    method: string,
    token: unknown,
    args: CallArguments,
    authorization: string | undefined,
  ): Performed {
    const { state, appToken, appId, now, oauth } = this.#options;
    try {
      if (method === "oauth.v2.access") {
        return { status: 200, answer: oauth.access(args, authorization), headers: {} };
      }
      if (token === appToken) return this.#performForApp(method);
      const workspace = state.authenticate(typeof token === "string" ? token : undefined);
      if (method === "apps.uninstall") {
        return { status: 200, answer: oauth.performUninstall(workspace, args), headers: {} };
      }
      if (method === "auth.revoke") {
        oauth.uninstall(workspace);
        return { status: 200, answer: { ok: true, revoked: true }, headers: {} };
      }
      const known = METHODS[method];
      if (!known) throw new Refusal("unknown_method", { req_method: method });
      const context = { state, workspace, args, appId, now };
      const headers = {
        "x-oauth-scopes": workspace.scopes.join(","),
        "x-accepted-oauth-scopes": known.scopes.join(","),
      };
      requireScope(context, known.scopes);
      return { status: 200, answer: { ok: true, ...known.run(context) }, headers };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return {
        status: 200,
        answer: { ok: false, error: error.code, ...error.details },
        headers: {},
      };
    }
  }

  #performForApp(method: string): Performed {
    const headers = { "x-oauth-scopes": "connections:write" };
    if (method === "auth.test") {
      const { appId } = this.#options;
      return { status: 200, answer: { ok: true, app_name: "infragpt", app_id: appId }, headers };
    }
    if (method !== "apps.connections.open") throw new Refusal("not_allowed_token_type");
    const opened = this.#options.openConnection();
    if (typeof opened !== "number") return { status: 200, answer: opened, headers };
    return { status: opened, answer: { ok: false }, headers };
  }

  async #answer(
    { status, answer, headers }: Performed,
    fault: Fault | undefined,
    response: ServerResponse,
  ): Promise<void> {
    if (fault?.kind === "hang_after_performing") return;
    if (fault?.kind === "close_after_performing") {
      response.socket?.destroy();
      return;
    }
    if (fault?.kind === "delay") await delay(fault.ms, undefined, { signal: this.#options.signal });
    const body = JSON.stringify(answer);
    response.writeHead(fault?.kind === "http_after_performing" ? fault.status : status, {
      "content-type": "application/json; charset=utf-8",
      ...headers,
    });
    response.end(fault?.kind === "bad_json" ? body.slice(0, body.length / 2) : body);
  }
}

function isBeforePerforming({ kind }: Fault): boolean {
  return ["rate_limited", "http", "error", "hang_before", "close_before"].includes(kind);
}

function answerFault(fault: Fault, response: ServerResponse): void {
  if (fault.kind === "close_before") response.socket?.destroy();
  if (fault.kind === "http") {
    response.writeHead(fault.status, { "content-type": "text/html" });
    response.end("<html><body>Server Error</body></html>");
  }
  if (fault.kind === "rate_limited") {
    response.writeHead(429, {
      "retry-after": String(fault.retryAfterSeconds),
      "content-type": "application/json",
    });
    response.end(JSON.stringify({ ok: false, error: "ratelimited" }));
  }
  if (fault.kind === "error") {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ ok: false, error: fault.error }));
  }
}
