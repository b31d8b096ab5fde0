import { type Card, type CardAction, type CardTone, cutText } from "@infragpt/connector-kit";
import type { Button, KnownBlock } from "@slack/types";
import { silenceMentions } from "./mentions.ts";
import { toMrkdwn } from "./mrkdwn.ts";

/** https://docs.slack.dev/reference/block-kit/blocks (2026-11). */
const LIMITS = { headerMax: 150, sectionMax: 3_000, fieldMax: 2_000, fieldsMax: 10, buttonMax: 75 };
const ACTIONS_MAX = 10;

const TONES: Readonly<Record<CardTone, string>> = {
  neutral: "",
  good: "🟢 ",
  warning: "🟡 ",
  bad: "🔴 ",
};

/** A card in Slack's blocks. */
export function cardBlocks(card: Card): KnownBlock[] {
  const facts = (card.facts ?? []).slice(0, LIMITS.fieldsMax);
  const actions = (card.actions ?? []).slice(0, ACTIONS_MAX);
  const title = cutText(TONES[card.tone] + silenceMentions(card.title), LIMITS.headerMax);
  const blocks: KnownBlock[] = [
    { type: "header", text: { type: "plain_text", text: title, emoji: true } },
  ];
  if (card.text) {
    const text = cutText(toMrkdwn(card.text), LIMITS.sectionMax);
    blocks.push({ type: "section", text: { type: "mrkdwn", text } });
  }
  if (facts.length > 0) {
    blocks.push({
      type: "section",
      fields: facts.map(({ label, value }) => ({
        type: "plain_text",
        text: cutText(silenceMentions(`${label}: ${value}`), LIMITS.fieldMax),
        emoji: false,
      })),
    });
  }
  if (actions.length > 0) blocks.push({ type: "actions", elements: actions.map(toButton) });
  return blocks;
}

/** In front of what a card's button was called. The number keeps the ids of one message apart. */
const ACTION_PREFIX = "infragpt:";

function toButton(action: CardAction, index: number): Button {
  const text = cutText(action.label, LIMITS.buttonMax);
  const label: Button["text"] = { type: "plain_text", text, emoji: true };
  if (action.kind === "link") {
    return { type: "button", action_id: `link:${index}`, text: label, url: action.url };
  }
  const style = action.tone && { style: styles[action.tone] };
  const actionId = `${ACTION_PREFIX}${index}:${action.name}`;
  return { type: "button", action_id: actionId, text: label, value: action.value, ...style };
}

const styles = { good: "primary", bad: "danger" } as const;

/** What the button of a card was called; undefined for buttons that are not ours, and for links. */
export function readActionName(actionId: string): string | undefined {
  return /^infragpt:\d{1,3}:(.{1,200})$/.exec(actionId)?.[1];
}
