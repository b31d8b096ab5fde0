/** Shows nothing and keeps its neighbours apart: Slack no longer sees a mention, people still read one. */
const JOINER = "\u2060";

const AT = String.raw`(?:[@\uFF20\uFE6B]|&#0{0,6}64;|&#[xX]0{0,6}40;|&commat;)`;
const ANGLE = String.raw`(?:[<\uFF1C\uFE64]|&lt;|&LT;|&#0{0,6}60;|&#[xX]0{0,6}3[cC];)`;
const BANG = String.raw`(?:[!\uFF01]|&#0{0,6}33;|&#[xX]0{0,6}21;|&excl;)`;
const INVISIBLE = String.raw`\p{Cf}{0,8}`;

const GROUP = String.raw`(?:[cC][hH][aA][nN]|[hH][eE][rR][eE]|[eE][vV][eE][rR]|[gG][rR][oO][uU]|[sS][uU][bB][tT])`;
const USER = String.raw`[UWB][A-Z0-9]`;

/**
 * `<!channel>`, `<@U123>`, `<!subteam^S123>` and what a decoder turns into them. Other text between
 * angle brackets, such as a doctype in code, can be copied as it is.
 */
const MARKUP = new RegExp(
  `(${ANGLE}${INVISIBLE})(?=\\\\?(?:${BANG}${INVISIBLE}${GROUP}|${AT}${INVISIBLE}${USER}))`,
  "gu",
);
/** `@channel` and what looks like it; a person's `@name` notifies nobody and stays as it is. */
const BARE = new RegExp(`(${AT})(?=(${INVISIBLE}[\\p{L}\\p{Cf}]{4,24}))`, "gu");
const BROADCAST = /^(?:channel|here|everyone|group)$/i;

/**
 * Takes the power to notify out of Markdown that an agent wrote: whom a message wakes is never an
 * agent's decision. Code keeps its look, as nothing visible is added.
 */
export function silenceMentions(markdown: string): string {
  return markdown
    .replace(MARKUP, `$1${JOINER}`)
    .replace(BARE, (at: string, _: string, word: string) => {
      const plain = word.replace(/\p{Cf}/gu, "").normalize("NFKC");
      return BROADCAST.test(plain) ? `${at}${JOINER}` : at;
    });
}

/** Escapes what Slack's own markup would act on, for fields that are not Markdown. */
export function escapeMarkup(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
