import { z } from "zod";
import { route, type Route } from "#platform";
import type { Conversations } from "./index.ts";
import { TEXT_LIMITS } from "./model.ts";

const Reply = z.strictObject({
  conversation_id: z.uuid(),
  message: z.string().min(1).max(TEXT_LIMITS.replyCharactersMax),
});

export function conversationRoutes(conversations: Pick<Conversations, "reply">): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/reply",
      summary: "Posts a message into a conversation",
      tags: ["conversations"],
      access: { permission: "conversation:reply" },
      body: Reply,
      answer: z.strictObject({}),
      async handle({ body, principal }) {
        await conversations.reply(principal, {
          conversationId: body.conversation_id,
          text: body.message,
        });
        return {};
      },
    }),
  ];
}
