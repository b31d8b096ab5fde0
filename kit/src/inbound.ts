/** What a vendor sent, as it is stored: verified, not yet understood. */
export interface Delivery {
  /** The vendor's id of this delivery; the same for every redelivery. Unique per connector. */
  readonly deliveryId: string;
  /** The vendor's id of the account it concerns ("T0123"). */
  readonly accountId: string;
  /**
   * A second identity, for vendors that send one thing under several delivery ids: "team:channel:ts"
   * for a Slack message, which arrives as `message` and as `app_mention`. Unique per connector.
   */
  readonly messageKey?: string;
  /** Deliveries with the same key are handled one after the other, in the order of arrival. */
  readonly orderKey: string;
  /** Which of the vendor's formats the body has, such as "event", "command" or "interaction". */
  readonly kind: string;
  /**
   * The body as it arrived, JSON in UTF-8. A connector may add what the vendor leaves out and
   * `parse`, which has no clock, needs: when it arrived.
   */
  readonly body: Uint8Array;
}

/** What a delivery means, the same for every vendor. */
export type InboundEvent =
  | { readonly kind: "message"; readonly message: InboundMessage }
  | { readonly kind: "command"; readonly command: InboundCommand }
  /** The account ended the connection itself: uninstalled, or its tokens revoked. */
  | { readonly kind: "disconnected"; readonly reason: string }
  | { readonly kind: "ignored"; readonly reason: string };

export type ChannelKind = "public" | "private" | "group_direct" | "direct" | "unknown";

export interface InboundAuthor {
  readonly kind: "person" | "bot";
  /** The vendor's id ("U0123", "B0123"). */
  readonly id: string;
  readonly name?: string;
}

export interface InboundMessage {
  readonly channel: { readonly id: string; readonly kind: ChannelKind };
  /** The vendor's id of the thread: in Slack the ts of its first message, also when this message is that one. */
  readonly threadId: string;
  /** The vendor's id of the message, unique within its channel. */
  readonly messageId: string;
  /** This message answers an earlier one in a thread. */
  readonly isReply: boolean;
  /** Our bot is mentioned, or the message is addressed to it alone. */
  readonly isAddressed: boolean;
  readonly author: InboundAuthor;
  /** Plain text with the vendor's escapes undone and the mention of our own bot taken away. */
  readonly text: string;
  readonly sentAt: Date;
}

/** A slash command. */
export interface InboundCommand {
  readonly channel: { readonly id: string; readonly kind: ChannelKind };
  readonly author: InboundAuthor;
  /** Without its slash: "infragpt". */
  readonly command: string;
  /** What follows it, trimmed. */
  readonly text: string;
  /** Where a private answer goes; `Messenger.respond` takes it. It works for 30 minutes and five answers in Slack. */
  readonly responseUrl: string;
  /** Unique per use. */
  readonly commandId: string;
  readonly sentAt: Date;
}
