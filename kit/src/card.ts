/** How a card looks at a glance. */
export type CardTone = "neutral" | "good" | "warning" | "bad";

/** What a person can do on a card: follow a link, or answer. */
export type CardAction =
  | { readonly kind: "link"; readonly label: string; readonly url: string }
  | {
      readonly kind: "button";
      readonly label: string;
      /** Comes back in the click: "approve". At most 200 characters. */
      readonly name: string;
      /** Comes back in the click. At most 1,900 characters, never a secret: everybody in the channel can read it. */
      readonly value: string;
      readonly tone?: "good" | "bad";
    };

/** A message with a shape, which can be edited later: health, approvals, alerts. */
export interface Card {
  readonly tone: CardTone;
  /** Plain text, at most 150 characters. */
  readonly title: string;
  /** Markdown, at most 3,000 characters. */
  readonly text?: string;
  /** At most ten, plain text. */
  readonly facts?: readonly { readonly label: string; readonly value: string }[];
  /** At most ten. */
  readonly actions?: readonly CardAction[];
}
