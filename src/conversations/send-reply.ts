import { AppError, isUuid, type Principal } from "#platform";
import { assertCan } from "#identity";
import { withTenant, type Database } from "#database";
import { LATE_REPLY_MS, TEXT_LIMITS, textHashOf } from "./model.ts";
import { addReply, type ReplyDeps } from "./posts/add-reply.ts";
import { findConversation, findTwin } from "./store.ts";
import { findTurnOfReply } from "./turns/store.ts";

interface SendReplyDeps {
  readonly db: Database;
  readonly replies: ReplyDeps;
}

/**
 * Posts what an agent or a program says into a conversation. Said during a turn, or just after it,
 * it belongs to that turn, so that the same text coming back as the turn's answer is posted once.
 */
export async function sendReply(
  deps: SendReplyDeps,
  principal: Principal,
  input: {
    readonly conversationId: string;
    readonly text: string;
    readonly idempotencyKey?: string | undefined;
  },
): Promise<{ readonly messageId: string }> {
  assertCan(principal, "conversation:reply");
  if (input.text.trim() === "") throw new AppError("invalid_request", "The reply is empty.");
  if (input.text.length > TEXT_LIMITS.replyCharactersMax) {
    throw new AppError(
      "invalid_request",
      `The reply has ${input.text.length} characters; at most ${TEXT_LIMITS.replyCharactersMax} are taken.`,
    );
  }
  const { organizationId } = principal;
  const messageId = await withTenant(deps.db, organizationId, async (tx) => {
    const conversation =
      isUuid(input.conversationId) &&
      (await findConversation(tx, organizationId, input.conversationId));
    if (!conversation)
      throw new AppError("not_found", `Conversation ${input.conversationId} does not exist.`);
    const endedAfter = new Date(deps.replies.clock.now().getTime() - LATE_REPLY_MS);
    const turnId = await findTurnOfReply(tx, organizationId, conversation.id, endedAfter);
    const said = await addReply(deps.replies, tx, {
      conversation,
      author: { kind: "agent", id: principal.id },
      text: input.text,
      turnId,
      externalId: input.idempotencyKey,
    });
    if (said.isSaid) return said.messageId;
    const twin = await findTwin(tx, organizationId, {
      conversationId: conversation.id,
      externalId: input.idempotencyKey,
      turnId,
      textHash: textHashOf(input.text),
    });
    return twin?.messageId ?? said.messageId;
  });
  deps.replies.posts.wake();
  return { messageId };
}
