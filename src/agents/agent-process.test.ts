import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#platform";
import { startFakeAgent } from "../../test/fakes/agent/index.ts";
import { createAgents } from "./create-agents.ts";
import { aConfig, aRequest, collect, finalText, memoryLog } from "./testing.ts";

for (const protocol of ["stream", "unary"] as const) {
  test(`tells an agent in another process that a turn is cancelled (${protocol})`, async (t) => {
    await using fake = await startFakeAgent();
    const config = aConfig(fake.endpoint, { protocol });
    const agents = createAgents({ configs: [config], log: memoryLog().log, clock: systemClock });
    t.after(() => agents.close());
    const controller = new AbortController();

    const turn = collect(agents.converse(aRequest("hang"), { signal: controller.signal }));
    turn.catch(() => undefined);
    await fake.waitForRequest();
    controller.abort(new Error("stopped by Ann"));

    await assert.rejects(turn, /stopped by Ann/);
    await fake.waitForCancel();
  });

  test(`is answered by an agent that was killed and started again (${protocol})`, async (t) => {
    await using fake = await startFakeAgent();
    const config = aConfig(fake.endpoint, { protocol, retryAttempts: 10, timeoutMs: 30_000 });
    const agents = createAgents({ configs: [config], log: memoryLog().log, clock: systemClock });
    t.after(() => agents.close());
    const { signal } = new AbortController();
    await collect(agents.converse(aRequest("one"), { signal }));
    await fake.kill();

    const turn = collect(agents.converse(aRequest("two"), { signal }));
    await fake.restart();

    assert.match(finalText(await turn) ?? "", /two/);
  });
}
