import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import type { FakeGitHub } from "../fakes/github/index.ts";
import { startGitHubWorld, type GitHubWorld } from "../support/github-world.ts";
import { untilAsync } from "../support/until.ts";

// Not an import: types of nine megabytes of JSON would be nobody's friend.
const require = createRequire(import.meta.url);
/** Every payload that GitHub has published as an example, by event. */
const EVENTS: readonly {
  readonly name: string;
  readonly examples: readonly object[];
}[] = require("@octokit/webhooks-examples/api.github.com/index.json");
const BATCH = 50;

describe("The payloads that GitHub has published", () => {
  let world: GitHubWorld;
  let github: FakeGitHub;
  let installationId: number;

  before(async () => {
    world = await startGitHubWorld();
    ({ github } = world);
    const account = world.anAccount();
    assert.equal((await world.connect(world.ana, account)).status, 303);
    const [integration] = await world.ana.integrations();
    installationId = Number(integration!.connector_organization_id);
    await github.settled();
  });
  after(() => world[Symbol.asyncDispose]());

  async function deliver(name: string, payload: object): Promise<{ name: string; status: number }> {
    const body = JSON.stringify(payload);
    const answer = await fetch(`${world.service.addresses.http}/webhooks/github`, {
      method: "POST",
      body,
      headers: github.sign(body, { event: name }),
    });
    await answer.body?.cancel();
    return { name, status: answer.status };
  }

  it("are answered with 2xx, for every type of event, and understood", async () => {
    assert.ok(EVENTS.length > 50, "read too few events: the check would pass on nothing");
    // Ends of an installation would end the one that all the others are sent to.
    const all = EVENTS.flatMap(({ name, examples }) =>
      examples.map((example) => ({
        name,
        payload: { ...example, installation: { id: installationId } },
      })),
    ).filter(({ name, payload }) => !(name === "installation" && "action" in payload));

    const answers: { name: string; status: number }[] = [];
    for (let from = 0; from < all.length; from += BATCH) {
      const batch = all.slice(from, from + BATCH);
      answers.push(
        ...(await Promise.all(batch.map(({ name, payload }) => deliver(name, payload)))),
      );
    }

    assert.deepEqual(
      answers.filter(({ status }) => status !== 200),
      [],
    );
    await untilAsync(async () => {
      const { rows } = await sql`select from inbox where state = 'stored' limit 1`.execute(
        world.database.db,
      );
      return rows.length === 0;
    });
    const { rows: dead } = await sql`select kind, detail from inbox where state = 'dead'`.execute(
      world.database.db,
    );
    assert.deepEqual(dead, []);
    const { rows: signals } = await sql<{ kind: string }>`
      select distinct kind from inbox where detail = 'nobody waits for this signal'
      order by kind`.execute(world.database.db);
    assert.deepEqual(
      signals.map(({ kind }) => kind),
      [
        "deployment",
        "deployment_status",
        "issues",
        "pull_request",
        "push",
        "release",
        "workflow_run",
      ],
    );
  });

  it("are answered with 2xx as they are published, and the process lives", async () => {
    const all = EVENTS.flatMap(({ name, examples }) =>
      examples.map((payload) => ({ name, payload })),
    );

    for (let from = 0; from < all.length; from += BATCH) {
      const batch = all.slice(from, from + BATCH);
      const answers = await Promise.all(batch.map(({ name, payload }) => deliver(name, payload)));
      assert.deepEqual(
        answers.filter(({ status }) => status !== 200),
        [],
      );
    }

    const health = await fetch(`${world.service.addresses.http}/healthz`);
    assert.equal(health.status, 200);
    const { body } = await world.ana.post("/integrations/list", {});
    assert.deepEqual(
      body.integrations.map(({ status }) => status),
      ["active"],
    );
  });
});
