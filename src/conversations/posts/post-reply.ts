import { queryTenant, sqlExecutor, withTenant, type Database } from "#database";
import { RetryLater, type Abortable, type Queue } from "#platform";
import type { TurnJob } from "../turns/answer-message.ts";
import { attemptPost, type HeldPost, type PostDeps, type PostJob } from "./post-message.ts";
import { listUnposted } from "./store.ts";

interface ReplyPostDeps extends PostDeps {
  readonly replies: { readonly posts: Queue<PostJob> };
}

/** As soon as the queue's own first retry. */
const RETRY_MS = 1_000;

/**
 * Posts a reply whose attempt was noted as it was stored, without a job: that saves a turn about a fifth
 * of its cost. Whatever hinders it, the post's job takes over; after a crash `enqueueUnposted` makes it.
 */
export async function postReply(
  deps: ReplyPostDeps,
  held: HeldPost,
  { signal }: Abortable,
): Promise<void> {
  try {
    await attemptPost(deps, held, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    const { id, conversationId } = held.post;
    const { organizationId } = held.conversation;
    const isAsked = error instanceof RetryLater;
    const fields = { err: error, organizationId, postId: id };
    if (isAsked) deps.log.debug(fields, "a reply is posted later");
    else deps.log.warn(fields, "a reply could not be posted at once and will be tried again");
    const delayMs = isAsked ? error.delayMs : RETRY_MS;
    const startAfter = new Date(deps.clock.now().getTime() + delayMs);
    await queryTenant(deps.db, organizationId, (tx) =>
      deps.replies.posts.enqueue(sqlExecutor(tx), [
        { id, key: conversationId, data: { organizationId, postId: id }, startAfter },
      ]),
    );
    deps.replies.posts.wake();
  }
}

/** Makes the jobs of what a turn said and was not posted. Those that are there stay as they are. */
export async function enqueueUnposted(
  { db, replies }: { readonly db: Database } & Pick<ReplyPostDeps, "replies">,
  { organizationId, turnId }: TurnJob,
): Promise<void> {
  await withTenant(db, organizationId, async (tx) => {
    const unposted = await listUnposted(tx, organizationId, turnId);
    await replies.posts.enqueue(
      sqlExecutor(tx),
      unposted.map(({ id, conversationId }) => ({
        id,
        key: conversationId,
        data: { organizationId, postId: id },
      })),
    );
  });
  replies.posts.wake();
}
