import type { Agents } from "#agents";
import { withTenant, type Database } from "#database";
import type { Identity } from "#identity";
import type { Integrations } from "#integrations";
import type {
  Abortable,
  Clock,
  Events,
  Failpoint,
  GrpcService,
  Ids,
  Jobs,
  Log,
  Principal,
  Queue,
  Route,
} from "#platform";
import {
  answerMessage,
  giveUpTurn,
  type AnswerDeps,
  type TurnJob,
} from "./turns/answer-message.ts";
import { conversationGrpcServices } from "./grpc.ts";
import { listenToHealth } from "./health/listen.ts";
import { postMessage, type PostJob } from "./posts/post-message.ts";
import { markFailed } from "./posts/store.ts";
import { readConversation, type ConversationPage } from "./read-conversation.ts";
import { receiveCommand } from "./receive-command.ts";
import { receiveMessage } from "./receive-message.ts";
import { conversationRoutes } from "./routes.ts";
import { createRunningTurns } from "./turns/running-turns.ts";
import { sendMessage, watchTurn, type SendMessageInput, type SentMessage } from "./send-message.ts";
import { sendReply } from "./send-reply.ts";
import { createTurnEvents, type TurnEvent } from "./turns/turn-events.ts";

export type { Conversation, Message } from "./model.ts";
export type { ConversationPage } from "./read-conversation.ts";
export type { SendMessageInput, SentMessage } from "./send-message.ts";
export type { TurnEvent } from "./turns/turn-events.ts";

export interface ConversationsDeps {
  readonly db: Database;
  readonly jobs: Jobs;
  readonly events: Pick<Events, "on">;
  readonly integrations: Integrations;
  readonly identity: Pick<Identity, "provider" | "chat">;
  readonly agents: Agents;
  readonly log: Log;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly failpoint: Failpoint;
  /** What an organization may know of the service's state, in Markdown, for `/infragpt status`. */
  readonly describeState: (organizationId: string) => Promise<string>;
  /** "http://localhost:8080", without a slash at its end. */
  readonly publicUrl: () => string;
  /** A turn that lasts longer is given up; longer than any agent's own deadline. */
  readonly turnSecondsMax: number;
  readonly concurrency: { readonly turnsMax: number; readonly postsMax: number };
}

export interface Conversations {
  /** Takes a message of a program or the console and starts a turn. */
  send(principal: Principal, input: SendMessageInput): Promise<SentMessage>;
  /** The events of a turn until it ends; leaving early cancels it. */
  watch(
    turn: { readonly organizationId: string; readonly turnId: string },
    options: Abortable,
  ): AsyncIterable<TurnEvent>;
  /** Posts what an agent or a program says. */
  reply(
    principal: Principal,
    input: {
      readonly conversationId: string;
      readonly text: string;
      readonly idempotencyKey?: string | undefined;
    },
  ): Promise<{ readonly messageId: string }>;
  read(
    principal: Principal,
    input: {
      readonly conversationId: string;
      readonly pageSize: number;
      readonly pageToken: string;
    },
  ): Promise<ConversationPage>;
  readonly routes: readonly Route[];
  readonly grpcServices: readonly GrpcService[];
}

/** Talks: takes messages from every surface, has them answered by an agent and brings the answers back, once. */
export function createConversations(deps: ConversationsDeps): Conversations {
  const { db, jobs, integrations, ids, clock, log } = deps;
  const events = createTurnEvents();
  const running = createRunningTurns({ db, events, clock, log });

  const posts: Queue<PostJob> = jobs.define<PostJob>({
    name: "post-message",
    isOrdered: true,
    concurrencyMax: deps.concurrency.postsMax,
    // About half an hour: longer than a vendor's usual trouble.
    retriesMax: 12,
    retryDelaySeconds: 1,
    retryDelaySecondsMax: 300,
    runSecondsMax: 60,
    handle: (job, options) => postMessage({ ...deps, replies }, job, options),
    async onDead({ data }, error) {
      const { organizationId, postId } = data;
      log.error({ err: error, organizationId, postId }, "post given up");
      await withTenant(db, organizationId, (tx) =>
        markFailed(tx, organizationId, postId, String(error)),
      );
    },
  });
  listenToHealth({
    ...deps,
    reconnectUrl: ({ id, connectorId }) =>
      `${deps.publicUrl()}/?${new URLSearchParams({ reconnect: connectorId, integration_id: id }).toString()}`,
  });
  const replies = { ids, clock, posts, split: (markdown: string) => integrations.split(markdown) };
  const answerDeps: AnswerDeps = { ...deps, replies, running, events };

  const turns = jobs.define<TurnJob>({
    name: "answer-message",
    isOrdered: true,
    concurrencyMax: deps.concurrency.turnsMax,
    retriesMax: 3,
    retryDelaySeconds: 1,
    retryDelaySecondsMax: 30,
    runSecondsMax: deps.turnSecondsMax,
    handle: (job, options) => answerMessage(answerDeps, job.data, options),
    onDead: (job, error) => giveUpTurn(answerDeps, job.data, error),
  });

  const receiveDeps = { db, ids, clock, log, turns, integrations };
  integrations.subscribe({
    messageReceived: (event, options) => receiveMessage(receiveDeps, event, options),
    commandReceived: (event, options) =>
      receiveCommand(
        { ...receiveDeps, identity: deps.identity, describeState: deps.describeState },
        event,
        options,
      ),
  });

  const sendDeps = { db, ids, clock, turns, events, running };
  const served = {
    send: (principal: Principal, input: SendMessageInput) =>
      sendMessage(sendDeps, principal, input),
    watch: (
      turn: { readonly organizationId: string; readonly turnId: string },
      options: Abortable,
    ) => watchTurn(sendDeps, turn, options),
    reply: (
      principal: Principal,
      input: {
        readonly conversationId: string;
        readonly text: string;
        readonly idempotencyKey?: string | undefined;
      },
    ) => sendReply({ db, replies }, principal, input),
    read: (
      principal: Principal,
      input: {
        readonly conversationId: string;
        readonly pageSize: number;
        readonly pageToken: string;
      },
    ) => readConversation(db, principal, input),
  };
  return {
    ...served,
    routes: conversationRoutes(served),
    grpcServices: conversationGrpcServices(served),
  };
}
