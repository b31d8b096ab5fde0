/** Subtypes under which Slack sends a message that someone wrote. All others tell about messages. */
export const MESSAGE_SUBTYPES: ReadonlySet<string> = new Set([
  "bot_message",
  "file_share",
  "me_message",
  "thread_broadcast",
]);
