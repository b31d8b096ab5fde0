import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { silenceMentions } from "./mentions.ts";
import { FALLBACK_CHARACTERS_MAX, toFallbackText, toMrkdwn } from "./mrkdwn.ts";

/** Slack's markup, and the plain words that clients link. */
const NOTIFIES = /<(?:!(?:channel|here|everyone|subteam\^)|@[A-Z])|@(?:channel|here|everyone)/i;

describe("mentions in what an agent wrote", () => {
  const powerful = [
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<!subteam^S012345|@oncall>",
    "<@U012345>",
    "<@W012345|bob>",
    "@channel",
    "Hello @here, look",
    "@EVERYONE",
    "`<!channel>`",
    "```\n<!here>\n```",
    "<\u200b!channel>",
  ];
  for (const text of powerful) {
    test(`${JSON.stringify(text)} notifies nobody and still reads the same`, () => {
      const silenced = silenceMentions(text);

      assert.doesNotMatch(silenced, NOTIFIES);
      assert.equal(silenced.replaceAll("\u2060", ""), text);
      assert.doesNotMatch(toFallbackText(text), NOTIFIES);
      assert.doesNotMatch(toMrkdwn(text), NOTIFIES);
    });
  }

  const lookAlikes = [
    "\uFF20channel",
    "&lt;!channel&gt;",
    "&#60;!here>",
    "&commat;here",
    "<\\!channel>",
  ];
  for (const text of lookAlikes) {
    test(`the look-alike ${text} is broken up`, () => {
      assert.notEqual(silenceMentions(text), text);
    });
  }

  const harmless = [
    "mail bob@hereford.example",
    "@alice said",
    "<!DOCTYPE html>",
    "List<@NonNull String>",
    "a < b && c > d",
  ];
  for (const text of harmless) {
    test(`${text} stays as it is`, () => {
      assert.equal(silenceMentions(text), text);
    });
  }
});

describe("the text beside blocks", () => {
  test("is escaped and never cut inside an escape", () => {
    const text = toFallbackText("<&>".repeat(3_000));

    assert.ok(text.length <= FALLBACK_CHARACTERS_MAX);
    assert.match(text, /^(?:&lt;|&amp;|&gt;)*$/);
  });

  test("becomes Slack's older markup where blocks are refused", () => {
    const text = toMrkdwn("## Title\n**Bold** [docs](https://example.com/?a=1&b=2) `a<b`");

    assert.equal(text, "*Title*\n*Bold* <https://example.com/?a=1&amp;b=2|docs> `a&lt;b`");
  });

  test("does not let a link become a mention", () => {
    assert.doesNotMatch(toMrkdwn("[x](https://a/|<!channel>)"), /<!/);
  });
});
