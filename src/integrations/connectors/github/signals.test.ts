import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import type { InboundSignal } from "@infragpt/connector-kit";
import { parseDelivery } from "./parse.ts";

// Not an import: types of nine megabytes of JSON would be nobody's friend.
const EXAMPLES: readonly {
  readonly name: string;
  readonly examples: readonly Payload[];
}[] = createRequire(import.meta.url)("@octokit/webhooks-examples/api.github.com/index.json");
const KINDS = ["push", "pull_request", "workflow_run", "deployment", "deployment_status", "issues"];

type Payload = Readonly<Record<string, unknown>>;

describe("A signal of GitHub", () => {
  it("tells of a push: where to, by whom, and the last message", () => {
    const signal = signalOf("push", example("push", { ref: "refs/heads/master" }));

    assert.partialDeepStrictEqual(signal, {
      source: "github",
      kind: "push",
      title: "Codertocat/Hello-World: push to master: Initial commit",
      resource: { kind: "repository", name: "Codertocat/Hello-World" },
      actor: { name: "Codertocat" },
      facts: { branch: "master", forced: "false" },
    });
    assert.match(signal.url ?? "", /^https:\/\/github\.com\/Codertocat\/Hello-World\//);
    assert.equal(signal.state, undefined);
  });

  it("tells of a tag that was deleted", () => {
    const signal = signalOf("push", example("push", { deleted: true }));

    assert.match(signal.title, /: simple-tag was deleted$/);
    assert.equal(signal.facts?.["tag"], "simple-tag");
  });

  it("tells of a pull request: what became of it, and whether it is still open", () => {
    const opened = example("pull_request", { action: "opened" });
    const pull = opened["pull_request"] as Payload;
    const ended = { ...pull, state: "closed" };
    const merged = { ...opened, action: "closed", pull_request: { ...ended, merged: true } };
    const closed = { ...opened, action: "closed", pull_request: { ...ended, merged: false } };

    const told = [opened, merged, closed].map((payload) => signalOf("pull_request", payload));

    const title = "Codertocat/Hello-World: pull request #2";
    assert.deepEqual(
      told.map(({ title: each, state }) => [each.slice(0, each.lastIndexOf(":")), state]),
      [
        [`${title} opened`, "open"],
        [`${title} merged`, "resolved"],
        [`${title} closed`, "resolved"],
      ],
    );
    assert.partialDeepStrictEqual(told[1]?.facts, { number: "2", merged: "true", base: "master" });
  });

  it("tells of a run that failed, and of one that did not", () => {
    const completed = example("workflow_run", { action: "completed" });
    const run = completed["workflow_run"] as Payload;
    const conclusions = ["failure", "timed_out", "startup_failure", "success", "cancelled"];

    const told = conclusions.map((conclusion) =>
      signalOf("workflow_run", { ...completed, workflow_run: { ...run, conclusion } }),
    );

    assert.deepEqual(
      told.map(({ severity }) => severity),
      ["error", "error", "error", "info", "info"],
    );
    for (const { kind, state, facts } of told) {
      assert.equal(kind, "workflow_run.completed");
      assert.equal(state, "resolved");
      assert.equal(facts?.["run_id"], String(run["id"]));
    }
    assert.match(told[1]?.title ?? "", /: timed out$/);
  });

  it("tells of a deployment and of how it ended", () => {
    const created = example("deployment", { action: "created" });
    const changed = example("deployment_status", { action: "created" });
    const status = changed["deployment_status"] as Payload;
    const failed = { ...changed, deployment_status: { ...status, state: "failure" } };
    const running = { ...changed, deployment_status: { ...status, state: "in_progress" } };

    const told = [
      signalOf("deployment", created),
      signalOf("deployment_status", running),
      signalOf("deployment_status", changed),
      signalOf("deployment_status", failed),
    ];

    assert.deepEqual(
      told.map(({ state, severity }) => [state, severity]),
      [
        ["open", undefined],
        ["open", "info"],
        ["resolved", "info"],
        ["resolved", "error"],
      ],
    );
    assert.match(told[3]?.title ?? "", /: deployment of master to production: failure$/);
    assert.equal(new Set(told.map(({ dedupeKey }) => dedupeKey)).size, 1);
  });

  it("tells of an issue", () => {
    const opened = signalOf("issues", example("issues", { action: "opened" }));

    assert.match(opened.title, /: issue #1 opened: /);
    assert.equal(opened.state, "open");
    assert.equal(opened.facts?.["number"], "1");
  });
});

describe("The key of a signal", () => {
  it("is one for a run, when it is requested and when it has ended", () => {
    const requested = example("workflow_run", { action: "requested" });
    const ended = { ...requested, action: "completed" };

    const keys = [requested, ended].map((each) => signalOf("workflow_run", each).dedupeKey);

    assert.equal(new Set(keys).size, 1);
  });

  it("is one for everything that happens to a pull request, and to an issue", () => {
    for (const [event, thing] of [
      ["pull_request", "pull_request"],
      ["issues", "issue"],
    ] as const) {
      const found = EXAMPLES.find(({ name }) => name === event)?.examples ?? [];
      const keys = new Map<string, Set<string>>();
      for (const payload of found) {
        const repository = (payload["repository"] as Payload)["id"];
        const one = `${String(repository)} ${String((payload[thing] as Payload)["number"])}`;
        const { dedupeKey } = signalOf(event, payload);
        keys.set(one, (keys.get(one) ?? new Set()).add(dedupeKey));
      }
      for (const [one, all] of keys) assert.equal(all.size, 1, `${event} ${one}`);
      assert.equal(new Set([...keys.values()].flatMap((all) => [...all])).size, keys.size);
    }
  });

  it("is the same for a push that is delivered again, and another for the next one", () => {
    const push = { ref: "refs/heads/fix", before: "a".repeat(40), after: "0".repeat(40) };
    const later = { ...push, before: "b".repeat(40) };
    const keys = [push, push, later].map((each) => signalOf("push", each).dedupeKey);

    assert.equal(keys[0], keys[1]);
    assert.notEqual(keys[0], keys[2]);
  });
});

describe("Text of strangers in a signal", () => {
  const evil = `a\nb\r\n\u0000\u001b[31m\u2028\u202ec💥${"💥".repeat(5_000)}`;

  for (const event of [...KINDS, "release"]) {
    it(`is bounded and its title has one line: ${event}`, () => {
      for (const payload of EXAMPLES.find(({ name }) => name === event)?.examples ?? []) {
        const { title, text = "", url, facts = {}, actor } = signalOf(event, spoil(payload));

        assert.ok(title.length <= 300 && title.isWellFormed());
        assert.doesNotMatch(title, /[\p{Cc}\p{Zl}\p{Zp}\u202e]/u);
        assert.ok(text.length <= 4_000 && text.isWellFormed());
        assert.doesNotMatch(text, /(?![\n\t])\p{Cc}/u);
        assert.ok(Object.keys(facts).length <= 30);
        for (const fact of Object.values(facts)) assert.ok(fact.length <= 500, fact);
        assert.ok((actor?.name ?? "").length <= 100);
        assert.equal(url, undefined);
      }
    });
  }

  it("is no address unless a browser may follow it", () => {
    const changed = example("deployment_status", { action: "created" });
    const status = changed["deployment_status"] as Payload;
    for (const target of ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x"]) {
      const deployment_status = { ...status, target_url: target, log_url: target };
      const { url } = signalOf("deployment_status", { ...changed, deployment_status });
      assert.equal(url, "https://github.com/Codertocat/Hello-World");
    }
  });

  it("may be missing altogether", () => {
    for (const event of [...KINDS, "release"]) {
      const { dedupeKey, occurredAt } = signalOf(event, {});
      assert.ok(dedupeKey.length > 0 && !Number.isNaN(occurredAt.getTime()), event);
    }
  });

  /** Every text of a payload, however deep. */
  function spoil(value: Payload): Payload {
    return JSON.parse(JSON.stringify(value), (key, inner: unknown) => {
      return typeof inner === "string" && key !== "action" && key !== "state" ? evil : inner;
    }) as Payload;
  }
});

function signalOf(kind: string, payload: Payload): InboundSignal {
  const [event] = parseDelivery({
    deliveryId: "1",
    accountId: "7",
    orderKey: "7",
    kind,
    body: Buffer.from(JSON.stringify(payload)),
  });
  assert.ok(event?.kind === "signal", `${kind} is no signal`);
  return event.signal;
}

/** The first published payload with these fields. */
function example(event: string, fields: Payload): Payload {
  const found = EXAMPLES.find(({ name }) => name === event)?.examples.find((payload) =>
    Object.entries(fields).every(([name, value]) => payload[name] === value),
  );
  assert.ok(found, `no example of ${event}`);
  return found;
}
