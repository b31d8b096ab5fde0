import type {
  InboundAction,
  InboundCommand,
  InboundMessage,
  InboundSignal,
} from "@infragpt/connector-kit";
import { defineEvent, type Abortable } from "#platform";
import type { Integration, IntegrationHealth } from "./model.ts";

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

/** Somebody pressed a button of a card. */
export interface ActionReceived {
  readonly integration: Integration;
  readonly action: InboundAction;
}

/** Something happened in a connected system. */
export interface SignalReceived {
  readonly integration: Integration;
  readonly signal: InboundSignal;
}

/** The health of a connection is another than before. */
export const connectionHealthChanged = defineEvent<{
  readonly organizationId: string;
  readonly integrationId: string;
  readonly from: IntegrationHealth["status"];
  readonly to: IntegrationHealth["status"];
}>("connection-health-changed");

/**
 * What this room announces to the rooms above. A listener runs inside the durable job of the
 * delivery: it may run twice, and when it throws the delivery is tried again.
 */
export interface IntegrationListeners {
  messageReceived(event: MessageReceived, options: Abortable): Promise<"handled" | "ignored">;
  commandReceived(event: CommandReceived, options: Abortable): Promise<void>;
  /** A room that shows no buttons needs none. */
  actionReceived?(event: ActionReceived, options: Abortable): Promise<"handled" | "ignored">;
  signalReceived?(event: SignalReceived, options: Abortable): Promise<"handled" | "ignored">;
}
