import assert from "node:assert/strict";
import { it } from "node:test";
import type { Connection } from "../connector.ts";
import { ConnectorError, type ConnectorErrorKind } from "../errors.ts";
import { CALL_MS_MAX, assertKind, assertNoSecret, inTime, refusalOf } from "./checking.ts";
import type { ContractVendor, StartVendor, VendorFault } from "./vendor.ts";

interface Abortable {
  readonly signal: AbortSignal;
}

interface Call {
  readonly name: string;
  readonly isRead: boolean;
  readonly run: (options: Abortable) => Promise<unknown>;
}

const ANSWER_BYTES_MAX = 64 * 1024;
const RETRY_AFTER_SECONDS = 7;

/** Which words each failure has. `uncertain` is always honest; the others promise more. */
const WORDS: readonly {
  readonly fault: VendorFault;
  readonly kinds: readonly ConnectorErrorKind[];
}[] = [
  { fault: { kind: "server_error" }, kinds: ["unavailable", "uncertain"] },
  { fault: { kind: "answer_lost" }, kinds: ["uncertain"] },
  { fault: { kind: "malformed" }, kinds: ["uncertain", "unavailable"] },
  { fault: { kind: "unauthorized" }, kinds: ["unauthorized"] },
];

/** Every call to the vendor: what it answers, and what becomes of it when things go wrong. */
export function checkCalls(start: StartVendor): void {
  it("answers each call, reads change nothing, and answers show no secret", async (test) => {
    await using vendor = await start();
    const calls = callsOf(vendor, await vendor.connect());
    if (calls.length === 0) return test.skip("it is never called");

    for (const { name, run, isRead } of calls) {
      const before = vendor.changes();
      const answer = await run(inTime());
      assertNoSecret(vendor, name, answer);
      assert.ok(
        (JSON.stringify(answer) ?? "").length <= ANSWER_BYTES_MAX,
        `${name} answers too much`,
      );
      if (isRead) assert.equal(vendor.changes(), before, `${name} changes something`);
    }
  });

  it("waits as long as the vendor asks when calls are limited", async (test) => {
    await using vendor = await start();
    const calls = callsOf(vendor, await vendor.connect());
    if (calls.length === 0) return test.skip("it is never called");
    vendor.fail({ kind: "rate_limited", retryAfterSeconds: RETRY_AFTER_SECONDS });

    for (const { name, run } of calls) {
      const error = await refusalOf(vendor, name, () => run(inTime()));
      assertKind(error, name, ["rate_limited"]);
      assert.equal(error.retryAfterMs, RETRY_AFTER_SECONDS * 1_000, name);
    }
  });

  for (const { fault, kinds } of WORDS) {
    it(`says honestly what is known when the vendor's way is: ${fault.kind}`, async (test) => {
      await using vendor = await start();
      const calls = callsOf(vendor, await vendor.connect());
      if (calls.length === 0) return test.skip("it is never called");
      vendor.fail(fault);

      for (const { name, run } of calls) {
        // A probe may judge a refusal itself: then it answers that the connection is not well.
        const outcome = await run(inTime()).then(
          (answer) => ({ answer }),
          (error: unknown) => ({ error }),
        );
        if (name === "checkHealth" && "answer" in outcome) {
          assert.notDeepEqual(outcome.answer, { status: "healthy" });
          continue;
        }
        assert.ok("error" in outcome, `${name} did not notice`);
        assert.ok(outcome.error instanceof ConnectorError, `${name}: ${String(outcome.error)}`);
        assertNoSecret(vendor, name, outcome.error);
        assertKind(outcome.error, name, kinds);
      }
    });
  }

  it("ends at once when it is told to, also when the vendor never answers", async (test) => {
    await using vendor = await start();
    const calls = callsOf(vendor, await vendor.connect());
    if (calls.length === 0) return test.skip("it is never called");
    vendor.fail({ kind: "hangs" });

    for (const { name, run } of calls) {
      const aborter = new AbortController();
      const startedMs = performance.now();
      const ended = refusalOf(vendor, name, () => run({ signal: aborter.signal }));
      setImmediate(() => aborter.abort());
      assertKind(await ended, name, ["uncertain", "unavailable"]);
      assert.ok(performance.now() - startedMs < CALL_MS_MAX, `${name} did not end`);
    }
  });
}

function callsOf({ connector, inputs = {} }: ContractVendor, connection: Connection): Call[] {
  const calls: Call[] = [];
  const { identify, checkHealth, resources, operations = [] } = connector;
  if (checkHealth) {
    calls.push({
      name: "checkHealth",
      isRead: true,
      run: (options) => checkHealth(connection, options),
    });
  }
  if (identify) {
    calls.push({
      name: "identify",
      isRead: true,
      run: (options) => identify(connection.credentials, options),
    });
  }
  if (resources) {
    calls.push({
      name: "resources.list",
      isRead: true,
      run: (options) => resources.list(connection, {}, options),
    });
  }
  for (const operation of operations) {
    const input = operation.input.parse(inputs[operation.name] ?? {});
    calls.push({
      name: operation.name,
      isRead: operation.risk === "read",
      run: (options) => operation.run(connection, input, options),
    });
  }
  return calls;
}
