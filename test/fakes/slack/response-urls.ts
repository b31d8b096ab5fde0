import type { IncomingMessage, ServerResponse } from "node:http";

import { CallArguments, parseBody, readBody } from "./call-arguments.ts";
import { Refusal } from "./refusal.ts";
import type { Room, SlackState, Workspace } from "./state.ts";
import { readContent } from "./validate-message.ts";

/** https://docs.slack.dev/interactivity/handling-user-interaction#message_responses (2026-11). */
const USES_MAX = 5;
const LIFETIME_MS = 30 * 60_000;

interface ResponseUrl {
  readonly workspace: Workspace;
  readonly room: Room;
  readonly userId: string;
  readonly expiresAtMs: number;
  usesLeft: number;
}

/** The addresses that come with commands and clicks: five answers within 30 minutes. */
export class ResponseUrls {
  readonly #state: SlackState;
  readonly #now: () => number;
  readonly #urls = new Map<string, ResponseUrl>();

  constructor(state: SlackState, now: () => number) {
    this.#state = state;
    this.#now = now;
  }

  /** Returns the path. */
  make(workspace: Workspace, room: Room, userId: string): string {
    const path = `/response/${workspace.teamId}/${this.#urls.size + 1}/${crypto.randomUUID()}`;
    const expiresAtMs = this.#now() + LIFETIME_MS;
    this.#urls.set(path, { workspace, room, userId, expiresAtMs, usesLeft: USES_MAX });
    return path;
  }

  async handle(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = parseBody(request.headers["content-type"], await readBody(request));
    try {
      this.#use(path, new CallArguments(body));
      response.writeHead(200, { "content-type": "text/html" }).end("ok");
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const isGone = error.code === "expired_url" || error.code === "used_url";
      response.writeHead(isGone ? 404 : 400, { "content-type": "application/json" });
      response.end(JSON.stringify({ ok: false, error: error.code }));
    }
  }

  #use(path: string, args: CallArguments): void {
    const url = this.#urls.get(path);
    if (!url || url.expiresAtMs <= this.#now()) throw new Refusal("expired_url");
    if (url.usesLeft <= 0) throw new Refusal("used_url");
    const content = args.flag("delete_original") ? undefined : readContent(args);
    url.usesLeft -= 1;
    if (!content) return;
    const { workspace, room, userId } = url;
    const threadTs = args.text("thread_ts");
    this.#state.append(room, {
      ts: this.#state.timestamps.next(),
      channel: room.channel.id,
      user: workspace.botUserId,
      bot_id: workspace.botId,
      ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
      ...(args.text("response_type") === "in_channel" ? {} : { ephemeralTo: userId }),
      ...content,
    });
  }
}
