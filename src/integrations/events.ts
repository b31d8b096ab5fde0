import type { InboundCommand, InboundMessage } from "@infragpt/connector-kit";
import type { Abortable } from "#platform";
import type { Integration } from "./model.ts";

/** Somebody wrote a message in a connected chat. */
export interface MessageReceived {
  readonly integration: Integration;
  readonly message: InboundMessage;
}

/** Somebody used a slash command. */
export interface CommandReceived {
  readonly integration: Integration;
  readonly command: InboundCommand;
}

/**
 * What this room announces to the rooms above. A listener runs inside the durable job of the
 * delivery: it may run twice, and when it throws the delivery is tried again.
 */
export interface IntegrationListeners {
  messageReceived(event: MessageReceived, options: Abortable): Promise<"handled" | "ignored">;
  commandReceived(event: CommandReceived, options: Abortable): Promise<void>;
}
