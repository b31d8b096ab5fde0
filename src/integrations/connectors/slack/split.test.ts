import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fenceOf, isFenceEnd, type Fence } from "./fences.ts";
import { silenceMentions } from "./mentions.ts";
import { cutMarkdown, PART_WEIGHT_MAX, splitMarkdown } from "./split.ts";

const BLOCK_CHARACTERS_MAX = 12_000;
const BLOCKS_JSON_CHARACTERS_MAX = 13_200;

function blocksJson(text: string): string {
  return JSON.stringify([{ type: "markdown", text: silenceMentions(text) }]);
}

function assertFits(part: string): void {
  assert.ok(silenceMentions(part).length <= BLOCK_CHARACTERS_MAX, `${part.length} characters`);
  assert.ok(blocksJson(part).length <= BLOCKS_JSON_CHARACTERS_MAX);
}

function hasOpenFence(markdown: string): boolean {
  let open: Fence | undefined;
  for (const line of markdown.split(/(?<=\n)/)) {
    if (open === undefined) open = fenceOf(line);
    else if (isFenceEnd(line, open)) open = undefined;
  }
  return open !== undefined;
}

function paragraphs(count: number, word: string): string {
  return Array.from(
    { length: count },
    (_, index) => `${word} ${index}. ${"lorem ipsum ".repeat(20)}`,
  ).join("\n\n");
}

/** A small generator with a seed, so that a failure can be repeated. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

const PIECES = [
  "# A heading\n",
  "\n",
  "Some prose with **bold**, `code` and a [link](https://example.com/a?b=c&d).\n",
  "- an item with @here and <!channel>\n",
  '```ts\nconst answer = "42";\n\nfunction f() {}\n```\n',
  "~~~~\n```\nnot the end\n~~~~\n",
  "  1. ```bash\n     ls -la\n     ```\n",
  "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n",
  "> ```\n> quoted code\n> ```\n",
  "emoji 😀👩‍👩‍👧 and 漢字。",
  '"quotes" \\ and \t tabs\r\n',
  "```unclosed\n",
];

function makeMarkdown(random: () => number, charactersMin: number): string {
  let markdown = "";
  while (markdown.length < charactersMin) {
    const piece = PIECES[Math.floor(random() * PIECES.length)] ?? "";
    markdown += piece.repeat(1 + Math.floor(random() * random() * 400));
  }
  return markdown;
}

describe("splitting Markdown", () => {
  test("leaves what fits as it is", () => {
    const markdown = "# Title\n\nShort.\n";

    assert.deepEqual(splitMarkdown(markdown), [markdown]);
  });

  test("has no part for blank text", () => {
    assert.deepEqual(splitMarkdown(" \n\n"), []);
  });

  test("cuts before a heading where one is near", () => {
    const markdown = `${paragraphs(30, "First")}\n\n## Second\n\n${paragraphs(30, "Second")}`;

    const [, second] = splitMarkdown(markdown);

    assert.match(second ?? "", /^## Second\n/);
  });

  test("cuts between paragraphs where there is no heading", () => {
    const parts = splitMarkdown(paragraphs(100, "Paragraph"));

    assert.ok(parts.length > 1);
    for (const part of parts) assert.match(part, /^Paragraph \d+\./);
  });

  test("cuts between the items of a long list", () => {
    const parts = splitMarkdown(
      Array.from({ length: 900 }, (_, i) => `- item ${i} of many`).join("\n"),
    );

    assert.ok(parts.length > 1);
    for (const part of parts) assert.match(part, /^- item \d+ of many/);
  });

  test("cuts one endless line behind sentences", () => {
    const parts = splitMarkdown("This is a sentence of some words. ".repeat(1_000));

    assert.ok(parts.length > 1);
    for (const part of parts) assert.match(part, /^This is .* words\. $/s);
  });

  test("closes and reopens a block of code with its language", () => {
    const code = Array.from({ length: 1_500 }, (_, i) => `console.log(${i});`).join("\n");

    const parts = splitMarkdown(`Look:\n\n\`\`\`\`ts title=a\n${code}\n\`\`\`\`\n\nDone.`);

    assert.ok(parts.length > 2);
    for (const part of parts) assert.equal(hasOpenFence(part), false);
    for (const part of parts.slice(1))
      assert.match(part, /^````ts title=a\nconsole\.log\(\d+\);\n/);
  });

  test("keeps a block of code whole when it fits into the next part", () => {
    const code = `\`\`\`js\n${"let x = 1;\n".repeat(300)}\`\`\`\n`;

    const parts = splitMarkdown(`${paragraphs(35, "Before")}\n\n${code}\nAfter.`);

    assert.ok(parts.some((part) => part.includes(code)));
  });

  test("closes indented fences with their own mark", () => {
    const markdown = `1. Run:\n\n      ~~~sh\n${"      echo hello\n".repeat(1_500)}      ~~~\n`;

    const [first, second] = splitMarkdown(markdown);

    assert.match(first ?? "", /\n {6}~~~\n$/);
    assert.match(second ?? "", /^ {6}~~~sh\n {6}echo hello\n/);
  });

  test("repeats the header of a table that is cut", () => {
    const rows = Array.from({ length: 800 }, (_, i) => `| host-${i} | ${i * 3} ms |`).join("\n");

    const parts = splitMarkdown(`| Host | Latency |\n|---|---|\n${rows}\n`);

    assert.ok(parts.length > 1);
    for (const part of parts) assert.match(part, /^\| Host \| Latency \|\n\|---\|---\|\n\| host-/);
  });

  test("never cuts inside a surrogate pair", () => {
    const parts = splitMarkdown(`x${"😀".repeat(20_000)}`);

    for (const part of parts) assert.ok(part.isWellFormed());
    assert.equal(parts.join(""), `x${"😀".repeat(20_000)}`);
  });

  test("takes a line without end in bounded time", { timeout: 20_000 }, () => {
    const parts = splitMarkdown("`".repeat(200_000) + "|-".repeat(200_000) + "<!".repeat(100_000));

    for (const part of parts) assertFits(part);
  });

  test("loses nothing and fits, whatever the text", () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = makeRandom(seed);
      const markdown = makeMarkdown(random, 5_000 + random() * 50_000);

      const parts = cutMarkdown(markdown);

      assert.equal(parts.map(({ body }) => body).join(""), markdown, `seed ${seed}`);
      for (const [index, { opening, body, closing }] of parts.entries()) {
        assertFits(opening + body + closing);
        const isLast = index === parts.length - 1;
        assert.ok(isLast || !hasOpenFence(opening + body + closing), `seed ${seed}, part ${index}`);
      }
    }
  });

  test("fills parts well", () => {
    const markdown = paragraphs(300, "Paragraph");

    const parts = splitMarkdown(markdown);

    assert.ok(parts.length <= Math.ceil(markdown.length / (PART_WEIGHT_MAX * 0.9)));
  });
});
