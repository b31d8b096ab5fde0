/**
 * How much of a message's room a text takes, never too little: its length as JSON, which Slack
 * limits as a whole, and one character for each place where a mention might have to be silenced.
 */
export function weigh(text: string): number {
  let weight = 0;
  for (let index = 0; index < text.length; index += 1) weight += weighUnit(text.charCodeAt(index));
  return weight;
}

/** The weight of one UTF-16 unit. */
export function weighUnit(unit: number): number {
  if (unit >= 0x80) return MENTION_LOOK_ALIKES.has(unit) ? 2 : 1;
  if (unit < 0x20) return unit === NEWLINE || unit === TAB || unit === RETURN ? 2 : 6;
  return TWICE.has(unit) ? 2 : 1;
}

const NEWLINE = 10;
const TAB = 9;
const RETURN = 13;
const TWICE = unitsOf('"\\@<;');
const MENTION_LOOK_ALIKES = unitsOf("\uFF20\uFE6B\uFF1C\uFE64");

function unitsOf(text: string): ReadonlySet<number> {
  return new Set(Array.from(text, (character) => character.charCodeAt(0)));
}
