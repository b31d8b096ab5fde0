import { AppError, isUuid, type Principal } from "#platform";
import { assertCan } from "#identity";
import { withTenant, type Database } from "#database";
import type { Conversation, Message } from "./model.ts";
import { findConversation, listMessages } from "./store.ts";

const PAGE = { default: 50, max: 200 } as const;

export interface ConversationPage {
  readonly conversation: Conversation;
  /** Newest last. */
  readonly messages: readonly Message[];
  /** Empty when there are no older messages. */
  readonly nextPageToken: string;
}

/** A conversation of the principal's organization with one page of its messages, the newest page first. */
export async function readConversation(
  db: Database,
  principal: Principal,
  input: { readonly conversationId: string; readonly pageSize: number; readonly pageToken: string },
): Promise<ConversationPage> {
  assertCan(principal, "conversation:read");
  const { organizationId } = principal;
  if (input.pageSize < 0 || input.pageSize > PAGE.max) {
    throw new AppError("invalid_request", `page_size is 1 to ${PAGE.max}.`);
  }
  if (input.pageToken !== "" && !isUuid(input.pageToken)) {
    throw new AppError("invalid_request", "page_token is not one that an earlier answer gave.");
  }
  const size = input.pageSize || PAGE.default;
  return withTenant(db, organizationId, async (tx) => {
    const conversation =
      isUuid(input.conversationId) &&
      (await findConversation(tx, organizationId, input.conversationId));
    if (!conversation)
      throw new AppError("not_found", `Conversation ${input.conversationId} does not exist.`);
    const newestFirst = await listMessages(tx, organizationId, conversation.id, {
      beforeId: input.pageToken || undefined,
      messagesMax: size + 1,
    });
    const page = newestFirst.slice(0, size);
    const hasOlder = newestFirst.length > size;
    return {
      conversation,
      messages: page.toReversed(),
      nextPageToken: hasOlder ? (page.at(-1)?.id ?? "") : "",
    };
  });
}
