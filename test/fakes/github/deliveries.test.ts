import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, it } from "node:test";

import { startFakeGitHub } from "./index.ts";
import { makeOctokitApp } from "./octokit-app.ts";

describe("the log of webhooks", () => {
  it("remembers what nobody received, and sends it again when asked", async () => {
    await using github = await startFakeGitHub();
    const { octokit } = makeOctokitApp(github);
    const guids: unknown[] = [];
    const server = createServer((request, response) => {
      guids.push(request.headers["x-github-delivery"]);
      request.resume();
      response.end("taken");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    assert.ok(typeof address === "object" && address);

    const lost = await github.send("push", { ref: "refs/heads/main" });
    github.setReceiver(`http://127.0.0.1:${address.port}`);
    const { data: before } = await octokit.request("GET /app/hook/deliveries");
    await octokit.request("POST /app/hook/deliveries/{delivery_id}/attempts", {
      delivery_id: lost.id,
    });
    await github.settled();

    assert.equal(lost.status, 0);
    assert.deepEqual(
      before.map(({ guid, status, status_code }) => [guid, status, status_code]),
      [[lost.guid, "failed to connect to host", 502]],
    );
    const { data: after } = await octokit.request("GET /app/hook/deliveries");
    assert.deepEqual(
      after.map(({ guid, status, redelivery }) => [guid, status, redelivery]),
      [
        [lost.guid, "OK", true],
        [lost.guid, "failed to connect to host", false],
      ],
    );
    const { data: one } = await octokit.request("GET /app/hook/deliveries/{delivery_id}", {
      delivery_id: Number(after[0]!.id),
    });
    assert.deepEqual(one.request.payload, { ref: "refs/heads/main" });
    assert.equal(one.response.payload, "taken");
    assert.deepEqual(guids, [lost.guid]);
    const { status } = await github.redeliver(lost.guid);
    assert.equal(status, 200);
    server.closeAllConnections();
    server.close();
  });

  it("is read newest first by cursor, three days back", async () => {
    let nowMs = Date.now() - 4 * 86_400_000;
    await using github = await startFakeGitHub({ now: () => nowMs });
    const { octokit } = makeOctokitApp(github);
    await github.send("push", {});
    nowMs = Date.now();
    const sent = [];
    for (const _ of [1, 2, 3]) sent.push((await github.send("push", {})).id);

    const first = await octokit.request("GET /app/hook/deliveries", { per_page: 2 });
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.link ?? "")?.[1];
    assert.ok(next);
    const second = await octokit.request(`GET ${next}`);

    const [oldest, middle, newest] = sent;
    assert.deepEqual(
      first.data.map(({ id }) => id),
      [newest, middle],
    );
    assert.equal(second.data.length, 1);
    assert.equal(second.data[0].id, oldest);
    assert.equal(second.headers.link, undefined);
  });
});
