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
  | { readonly kind: "action"; readonly action: InboundAction }
  | { readonly kind: "signal"; readonly signal: InboundSignal }
  /**
   * The account closed or opened the connection for a while: GitHub's suspended installations. `at` is
   * the vendor's time of the change, because deliveries come in any order: the latest counts.
   */
  | { readonly kind: "suspended"; readonly reason: string; readonly at: Date }
  | { readonly kind: "resumed"; readonly reason: string; readonly at: Date }
  /** What the account shares has changed, in whatever order: `resources` is listed again. */
  | { readonly kind: "resources_changed"; readonly reason: string }
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

/** Somebody pressed a button of a card. */
export interface InboundAction {
  readonly channel: { readonly id: string; readonly kind: ChannelKind };
  /** The message with the button. */
  readonly messageId: string;
  readonly threadId?: string;
  readonly author: InboundAuthor;
  /** What the card's button was given. */
  readonly name: string;
  readonly value: string;
  /** Where a private answer goes; `Messenger.respond` takes it. */
  readonly responseUrl?: string;
  /** Unique per click. */
  readonly actionId: string;
  /** Absent where the vendor does not say. */
  readonly clickedAt?: Date;
}

export type SignalSeverity = "info" | "warning" | "error" | "critical";

/** Something happened in a connected system, said in the same words for every vendor. All text is untrusted. */
export interface InboundSignal {
  /** The connector's id: "github". */
  readonly source: string;
  /** Dotted, the vendor's event first: "workflow_run.completed", "incident.triggered". */
  readonly kind: string;
  readonly severity?: SignalSeverity;
  /** One line, at most 300 characters. */
  readonly title: string;
  /** At most 4,000 characters. */
  readonly text?: string;
  /** Where a person looks at it. Always http or https. */
  readonly url?: string;
  /** What it concerns: a repository, a service, a monitor. */
  readonly resource?: {
    readonly kind: string;
    readonly id: string;
    readonly name: string;
  };
  /** Where it stands, for what opens and closes: incidents, alerts, runs. */
  readonly state?: "open" | "acknowledged" | "resolved";
  readonly occurredAt: Date;
  /** The same for everything that tells of one thing: an incident's id, a run's id. */
  readonly dedupeKey: string;
  readonly actor?: { readonly id: string; readonly name?: string };
  /** More that a workflow may match on, such as { branch: "main", conclusion: "failure" }. At most 30, each 500 characters. */
  readonly facts?: Readonly<Record<string, string>>;
}
