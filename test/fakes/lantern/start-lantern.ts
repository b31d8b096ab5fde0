import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { VendorFault } from "@infragpt/connector-kit/contract";

/** A vendor whose accounts are reached with keys that people copy, or by roles that they open to us. */
export interface Lantern extends AsyncDisposable {
  readonly apiUrl: string;
  /** A new account with a key; `site` is where it lives. */
  addAccount(name: string, site?: string): { readonly id: string; readonly key: string };
  /** A role that lets in whoever names this external id; without one, everybody. */
  addRole(accountId: string, externalId?: string): string;
  endKey(key: string): void;
  /** From now on every call goes wrong like this, until `undefined` is given. */
  fail(fault: VendorFault | undefined): void;
  /** Keys and webhook secrets that are or were good. */
  secrets(): readonly string[];
  webhooks(): readonly LanternHook[];
  /** Tells a webhook of an alarm, signed as it was registered. Returns the status that came back. */
  ring(hookId: string, alarm: { readonly id: string; readonly title: string }): Promise<number>;
  sign(hookId: string, body: string): Readonly<Record<string, string>>;
}

export interface LanternHook {
  readonly id: string;
  readonly accountId: string;
  readonly url: string;
  readonly secret: string;
}

interface Account {
  readonly id: string;
  readonly name: string;
  readonly site: string;
}

interface Answer {
  readonly status: number;
  readonly body?: object;
}

export async function startLantern(): Promise<Lantern> {
  const accounts = new Map<string, Account>();
  const keys = new Map<string, string>();
  const roles = new Map<string, { readonly accountId: string; readonly externalId?: string }>();
  const hooks = new Map<string, LanternHook>();
  const secrets: string[] = [];
  let fault: VendorFault | undefined;

  function answer(request: IncomingMessage, body: Record<string, string>): Answer {
    const url = new URL(request.url ?? "/", "http://lantern");
    const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
    if (url.pathname === "/assume") return assume(body);
    const account = accounts.get(keys.get(token) ?? "");
    if (!account) return { status: 401 };
    const call = `${request.method} ${url.pathname}`;
    if (call === "GET /account") return { status: 200, body: account };
    if (call === "GET /hooks") return { status: 200, body: { hooks: hooksOf(account.id) } };
    if (call === "POST /hooks") return addHook(account.id, body["url"] ?? "");
    const [, hookId = ""] = /^DELETE \/hooks\/(\w+)$/.exec(call) ?? [];
    return { status: hooks.delete(hookId) ? 204 : 404 };
  }

  function assume({ role = "", external_id: externalId }: Record<string, string>): Answer {
    const found = roles.get(role);
    const isLetIn = found && (!found.externalId || found.externalId === externalId);
    const account = isLetIn && accounts.get(found.accountId);
    return account ? { status: 200, body: account } : { status: 403 };
  }

  function hooksOf(accountId: string): readonly object[] {
    return [...hooks.values()].filter((hook) => hook.accountId === accountId);
  }

  function addHook(accountId: string, url: string): Answer {
    const hook = { id: newId(), accountId, url, secret: randomBytes(16).toString("hex") };
    hooks.set(hook.id, hook);
    secrets.push(hook.secret);
    return { status: 201, body: hook };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await text(request);
    const refusal = refusalOf(fault);
    if (fault?.kind === "hangs") return;
    const { status, body } = refusal ?? answer(request, raw === "" ? {} : JSON.parse(raw));
    if (fault?.kind === "answer_lost") {
      response.socket?.destroy();
      return;
    }
    if (fault?.kind === "rate_limited") response.setHeader("retry-after", fault.retryAfterSeconds);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(fault?.kind === "malformed" ? "<html>" : body && JSON.stringify(body));
  }

  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;

  function sign(hookId: string, body: string): Readonly<Record<string, string>> {
    const secret = hooks.get(hookId)?.secret ?? "";
    return signWith(secret, Buffer.from(body));
  }

  return {
    apiUrl: `http://127.0.0.1:${port}`,
    addAccount(name, site = "eu") {
      const account = { id: newId(), name, site };
      const key = `lantern-key-${randomBytes(16).toString("hex")}`;
      accounts.set(account.id, account);
      keys.set(key, account.id);
      secrets.push(key);
      return { id: account.id, key };
    },
    addRole(accountId, externalId) {
      const role = `role/${newId()}`;
      roles.set(role, { accountId, ...(externalId && { externalId }) });
      return role;
    },
    fail(next) {
      fault = next;
    },
    endKey: (key) => keys.delete(key),
    secrets: () => secrets,
    webhooks: () => [...hooks.values()],
    sign,
    async ring(hookId, alarm) {
      const body = JSON.stringify(alarm);
      const headers = sign(hookId, body);
      const sent = await fetch(hooks.get(hookId)?.url ?? "", { method: "POST", body, headers });
      await sent.body?.cancel();
      return sent.status;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** As Lantern signs what it sends. */
export function signWith(secret: string, body: Uint8Array): Readonly<Record<string, string>> {
  return { "x-lantern-signature": createHmac("sha256", secret).update(body).digest("hex") };
}

/** What is answered before anything is performed. */
function refusalOf(fault: VendorFault | undefined): Answer | undefined {
  return fault && REFUSALS[fault.kind];
}

const REFUSALS: Partial<Record<VendorFault["kind"], Answer>> = {
  rate_limited: { status: 429 },
  server_error: { status: 503 },
  unauthorized: { status: 401 },
};

function newId(): string {
  return randomBytes(6).toString("hex");
}
