import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { textIn, type UntrustedRecord } from "@infragpt/connector-kit";
import { PAYMENTS, startAcme, type Acme } from "./github-testing.ts";

const repository = PAYMENTS;
const RED = "\u001b[31;1m";
const PLAIN = "\u001b[0m";
/** Of 100,000 characters; with an odd beginning pairs lie on every edge of a window. */
const LONG: Readonly<Record<string, string>> = {
  ascii: "x".repeat(100_000),
  "Chinese and Japanese": "支払いに失敗しました".repeat(10_000),
  "surrogate pairs": `a${"💥".repeat(50_000)}`,
  escapes: '"\\\n\t'.repeat(25_000),
  mixed: "The card 支払い 💥 was declined.\n".repeat(3_400),
};

describe("A long text", () => {
  for (const [name, text] of Object.entries(LONG)) {
    it(`is read from its beginning to its end without losing anything: a diff of ${name}`, async () => {
      await using acme = await startAcme();
      const { read } = aDiff(acme, text);

      let whole = "";
      let offset: unknown;
      do {
        const answer = await read(offset);
        assert.equal(answer["offset"], offset ?? 0);
        assert.equal(answer["total_characters"], text.length);
        whole += textIn(answer, "text") ?? "";
        offset = answer["next_offset"];
      } while (offset !== undefined);

      assert.equal(whole, text);
    });

    it(`is read from its end to its beginning without losing anything: a log of ${name}`, async () => {
      await using acme = await startAcme();
      const { read } = aLog(acme, text);

      let whole = "";
      let offset: unknown;
      do {
        const answer = await read(offset);
        const already = text.length - whole.length;
        const part = (textIn(answer, "text") ?? "").slice(0, already - Number(answer["offset"]));
        whole = part + whole;
        offset = answer["previous_offset"];
      } while (offset !== undefined);

      assert.equal(whole, text);
    });
  }

  it("is cut between lines, so that no half of a colour is left", async () => {
    await using acme = await startAcme();
    const { read } = aLog(acme, `${RED}Error:${PLAIN} card declined\r\n`.repeat(4_000));

    const texts: string[] = [];
    for (let offset: unknown = 0; offset !== undefined;) {
      const answer = await read(offset);
      texts.push(textIn(answer, "text") ?? "");
      offset = answer["next_offset"];
    }

    assert.ok(texts.length > 3);
    assert.equal(texts.join(""), "Error: card declined\n".repeat(4_000));
  });

  it("shows the end of a log first, and nothing comes after it", async () => {
    await using acme = await startAcme();
    const { read } = aLog(acme, `${"ok\n".repeat(33_000)}Error: card declined\n`);

    const answer = await read();

    assert.match(textIn(answer, "text") ?? "", /Error: card declined\n$/);
    assert.equal(answer["next_offset"], undefined);
  });

  it("never begins or ends inside a surrogate pair, wherever it is asked for", async () => {
    await using acme = await startAcme();
    const { read } = aDiff(acme, "💥".repeat(20_000));

    for (const asked of [1, 2, 9_999, 39_999, 40_000, 100_000_000]) {
      const answer = await read(asked);
      const text = textIn(answer, "text") ?? "";
      assert.ok(text.isWellFormed() && !text.includes("\ufffd"), `broken at ${asked}`);
      assert.equal(answer["offset"], Math.min(asked - (asked % 2), 40_000));
    }
  });

  it("has no colours, titles of terminals, lone surrogates or control characters", async () => {
    await using acme = await startAcme();
    const coloured = [
      `${RED}Error:${PLAIN} card \u001b[38;5;196mdeclined${PLAIN}`,
      "\u001b]0;npm test\u0007done\u001b[?25l\u001b[2K",
      "10%\r20%\rall\r\n",
      "a\u0000b\u0008c\u009bmd \ud800!",
    ];
    const { read } = aLog(acme, coloured.join("\n"));

    const answer = await read();

    const text = textIn(answer, "text") ?? "";
    assert.equal(text, "Error: card declined\ndone\n10%\n20%\nall\n\nabcd \ufffd!");
  });
});

function aDiff({ github, run }: Acme, diff: string) {
  github.addCommit(repository, { message: "Begin" });
  const pull = { title: "Long", head: "main", diff };
  const number = github.addPullRequest(repository, pull);
  return {
    read: (offset?: unknown): Promise<UntrustedRecord> =>
      run("get_pull_request_diff", { repository, number, offset }),
  };
}

function aLog({ github, run }: Acme, log: string) {
  const jobs = [{ name: "test", conclusion: "failure", log }];
  const { jobIds } = github.addWorkflowRun(repository, { name: "CI", conclusion: "failure", jobs });
  return {
    read: (offset?: unknown): Promise<UntrustedRecord> =>
      run("get_workflow_job_log", { repository, job_id: jobIds[0], offset }),
  };
}
