import { ConnectorError, type Messenger } from "@infragpt/connector-kit";
import {
  RetryLater,
  deadline,
  type Abortable,
  type Clock,
  type Failpoint,
  type Ids,
  type Job,
  type Log,
  type Queue,
} from "#platform";
import { queryTenant, sqlExecutor, type Database } from "#database";
import type { Integrations, OpenConnection } from "#integrations";
import type { Conversation } from "../model.ts";
import { bindThread } from "../store.ts";
import {
  beginAttempt,
  forgetAttempt,
  markFailed,
  markPosted,
  redirectPost,
  replaceText,
  type Post,
} from "./store.ts";

/** One call of a vendor; the connector has a shorter one of its own. */
const CALL_TIMEOUT_MS = 30_000;
/** A vendor's search may lag behind its writes. */
const LOOK_AGAIN_MS = 2_000;
/** How soon a post looks again whether those before it are out. */
const BEHIND_MS = 200;
/** Clocks differ: a post may seem older than its first attempt. */
const CLOCK_SKEW_MS = 5 * 60_000;

export interface PostJob {
  readonly organizationId: string;
  readonly postId: string;
}

export interface PostDeps {
  readonly db: Database;
  readonly integrations: Pick<Integrations, "connections">;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: Failpoint;
}

/** A post whose attempt is noted. */
export interface HeldPost {
  readonly post: Post;
  readonly conversation: Conversation;
}

interface Attempt {
  readonly post: Post;
  readonly conversation: Conversation;
  readonly open: OpenConnection;
  readonly messenger: Messenger;
  readonly channelId: string;
  readonly threadId: string | undefined;
}

/**
 * Posts one part: the only way out to a chat. The attempt is noted before it is made, so whoever
 * comes after a crash or a lost answer looks for the post before making it again.
 */
export async function postMessage(
  deps: PostDeps & { readonly replies: { readonly posts: Queue<PostJob>; readonly ids: Ids } },
  { key, data }: Pick<Job<PostJob>, "key" | "data">,
  { signal }: Abortable,
): Promise<void> {
  const { organizationId, postId } = data;
  const held = await queryTenant(deps.db, organizationId, (tx) =>
    beginAttempt(tx, organizationId, postId, deps.clock.now()),
  );
  if (held === undefined) return;
  if (held !== "too early") return attemptPost(deps, held, { signal });
  // As a new job: one that is to be run again holds its key, which the post it waits for needs.
  const { posts, ids } = deps.replies;
  const startAfter = new Date(deps.clock.now().getTime() + BEHIND_MS);
  await queryTenant(deps.db, organizationId, (tx) =>
    posts.enqueue(sqlExecutor(tx), [{ id: ids(), key, data, startAfter }]),
  );
}

/** Makes an attempt that is noted. Throws when it is to be made again. */
export async function attemptPost(
  deps: PostDeps,
  held: HeldPost,
  { signal }: Abortable,
): Promise<void> {
  const callSignal = deadline(signal, CALL_TIMEOUT_MS);
  try {
    const attempt = await prepare(deps, held, callSignal);
    const externalId =
      (await findEarlier(attempt, callSignal)) ?? (await makeAttempt(attempt, callSignal));
    deps.failpoint("posted");
    await remember(deps, attempt, externalId);
    deps.failpoint("marked");
  } catch (error) {
    await recover(deps, held, error);
  }
}

async function prepare(
  deps: PostDeps,
  { post, conversation }: HeldPost,
  signal: AbortSignal,
): Promise<Attempt> {
  const { organizationId, integrationId } = conversation;
  if (!integrationId)
    throw new ConnectorError("rejected", "The conversation has no chat to post to.");
  const open = await deps.integrations.connections.open(organizationId, integrationId, { signal });
  const { messenger } = open.connector;
  const isFallback = post.target === "fallback";
  const channelId = isFallback ? conversation.fallbackChannelId : conversation.channelId;
  if (!messenger || !channelId)
    throw new ConnectorError("rejected", "The conversation has no channel to post to.");
  const threadId = isFallback ? undefined : conversation.threadId;
  return { post, conversation, open, messenger, channelId, threadId };
}

async function findEarlier(attempt: Attempt, signal: AbortSignal): Promise<string | undefined> {
  const { post, messenger, open, channelId, threadId } = attempt;
  if (!post.attemptedAt) return undefined;
  const found = await messenger.find(
    open.connection,
    {
      channelId,
      ...(threadId ? { threadId } : {}),
      idempotencyKey: post.id,
      since: new Date(post.attemptedAt.getTime() - CLOCK_SKEW_MS),
    },
    { signal },
  );
  return found?.messageId;
}

async function makeAttempt(attempt: Attempt, signal: AbortSignal): Promise<string> {
  const { post, messenger, open, channelId, threadId } = attempt;
  const { messageId } = await messenger.post(
    open.connection,
    { channelId, ...(threadId ? { threadId } : {}), text: post.text, idempotencyKey: post.id },
    { signal },
  );
  return messageId;
}

async function remember(deps: PostDeps, attempt: Attempt, externalId: string): Promise<void> {
  const { post, conversation, open, channelId } = attempt;
  const { organizationId } = conversation;
  const isThreadKnown = conversation.threadId !== undefined || post.target === "fallback";
  await queryTenant(deps.db, organizationId, (tx) =>
    Promise.all([
      markPosted(tx, organizationId, post, { externalId, at: deps.clock.now() }),
      isThreadKnown ||
        bindThread(tx, organizationId, conversation.id, {
          threadId: externalId,
          externalKey: `${open.connection.accountId}:${channelId}:${externalId}`,
        }),
    ]),
  );
}

/** Decides what a failed attempt means: try again later, go another way, or give up visibly. */
async function recover(
  deps: PostDeps,
  { post, conversation }: HeldPost,
  error: unknown,
): Promise<void> {
  const { organizationId, integrationId } = conversation;
  // Whatever is not the vendor's word (a lost database, a shutdown) leaves the attempt open: the next run looks first.
  if (!(error instanceof ConnectorError)) throw error;
  const fields = {
    organizationId,
    postId: post.id,
    kind: error.kind,
    vendorCode: error.vendorCode,
  };
  if (integrationId)
    await deps.integrations.connections.note({ organizationId, id: integrationId }, error);
  function inTenant(work: Parameters<typeof queryTenant<void>>[2]): Promise<void> {
    return queryTenant(deps.db, organizationId, work);
  }
  const isFirstAttempt = post.attemptedAt === undefined;
  switch (error.kind) {
    case "rate_limited":
      if (isFirstAttempt) await inTenant((tx) => forgetAttempt(tx, organizationId, post.id));
      throw new RetryLater(error.retryAfterMs ?? 1_000, "The chat asks for a pause.", {
        cause: error,
      });
    case "uncertain":
      throw new RetryLater(LOOK_AGAIN_MS, "The chat did not say whether it posted.", {
        cause: error,
      });
    case "unavailable":
    case "unauthorized":
      // A reconnected account or a vendor that is back gets the answer: the job's retries decide how long we wait.
      if (isFirstAttempt) await inTenant((tx) => forgetAttempt(tx, organizationId, post.id));
      throw error;
    case "not_member":
    case "gone":
      if (post.target === "fallback" || !conversation.fallbackChannelId) break;
      deps.log.info(fields, "channel refused a post; it goes to the person who asked");
      await inTenant((tx) =>
        redirectPost(tx, organizationId, post.id, redirected(post, conversation, error)),
      );
      throw new RetryLater(0, "The post goes to the person who asked.", { cause: error });
    case "rejected": {
      const apology = rejectedText(error);
      if (post.text === apology) break;
      deps.log.error({ ...fields, err: error }, "chat refused a text");
      await inTenant((tx) => replaceText(tx, organizationId, post.id, apology));
      throw new RetryLater(0, "The chat refused the text; people are told so.", { cause: error });
    }
    case "missing_permission":
      break;
  }
  deps.log.error({ ...fields, err: error }, "post failed");
  await inTenant((tx) => markFailed(tx, organizationId, post.id, error.message));
}

function redirected(post: Post, conversation: Conversation, error: ConnectorError): string {
  if (post.part > 0) return post.text;
  const why =
    error.kind === "not_member"
      ? `I am not a member of <#${conversation.channelId}>, so I answer here. Invite me there with \`/invite\` to get answers in the thread.`
      : `<#${conversation.channelId}> is archived or gone, so I answer here.`;
  return `_${why}_\n\n${post.text}`;
}

function rejectedText(error: ConnectorError): string {
  const code = error.vendorCode ? ` (\`${error.vendorCode}\`)` : "";
  return `:warning: My answer could not be shown here${code}. It is kept in the conversation's record.`;
}
