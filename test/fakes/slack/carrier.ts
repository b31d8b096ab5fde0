import type { FakeAck, FakeDelivery, JsonObject, SentPayload } from "./model.ts";

export type PayloadKind = "events_api" | "slash_commands" | "interactive";

/** A delivery while it is under way. */
export type OpenDelivery = { -readonly [Key in keyof FakeDelivery]: FakeDelivery[Key] };

/** A payload on its way to the app. */
export interface Parcel {
  readonly kind: PayloadKind;
  readonly sent: SentPayload;
  /** Fields that replace those of the envelope. */
  readonly envelope: JsonObject;
  /** The app has it: ends every further attempt, also when it comes late. */
  accept(ack: Omit<FakeAck, "sent">): void;
  readonly isAccepted: () => boolean;
}

/** One of the two ways to the app. */
export interface Carrier {
  /** Makes one attempt and ends when its outcome is known; it sets `delivery.outcome`. */
  carry(parcel: Parcel, delivery: OpenDelivery): Promise<void>;
}
