import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { createHttpServer, createIds, createLog, createScrubber, systemClock } from "#platform";
import { createTestDatabase } from "../../test/support/database.ts";
import { aKeyring, anAudit, anEntry } from "./testing.ts";

const database = await createTestDatabase();
after(() => database[Symbol.asyncDispose]());
const audit = anAudit({ db: database.db, keyring: await aKeyring() });
const organizationId = randomUUID();
const permissions = new Set<string>();
const http = createHttpServer({
  log: createLog({ level: "silent", format: "json", scrubber: createScrubber() }),
  host: "127.0.0.1",
  port: 0,
  isHttpLogOn: false,
  mode: "production",
  ids: createIds(),
  clock: systemClock,
  authenticate: async () => ({ kind: "user", organizationId, id: "user_alice", permissions }),
  routes: audit.routes,
  rawRoutes: [],
});
const { url } = await http.start();
after(() => http.stop());

test("answers the audit log page by page to whoever may read it, and to nobody else", async () => {
  for (const id of ["a", "b", "c"]) {
    await audit.record(anEntry({ organizationId, target: { kind: "token", id } }));
  }
  const refused = await fetch(`${url}/api/v1/audit`);
  permissions.add("audit:read");

  const first = await readPage("limit=2");
  const last = await readPage(`limit=2&cursor=${first.next_cursor}`);

  assert.equal(refused.status, 403);
  assert.deepEqual(targetsOf(first), ["c", "b"]);
  assert.deepEqual(targetsOf(last), ["a"]);
  assert.equal(last.next_cursor, null);
  assert.partialDeepStrictEqual(last.entries[0], {
    seq: 1,
    action: "token.created",
    outcome: "ok",
    actor: { kind: "user", id: "user_alice" },
    details: { name: "ci", scopes: ["conversation:send"] },
    request_id: null,
  });
});

test("refuses a filter that it does not know", async () => {
  permissions.add("audit:read");

  const answers = await Promise.all(
    ["action=nothing.happened", "limit=1000", "organization_id=1", "from=yesterday"].map((query) =>
      fetch(`${url}/api/v1/audit?${query}`),
    ),
  );

  assert.deepEqual(
    answers.map(({ status }) => status),
    [400, 400, 400, 400],
  );
});

interface Page {
  readonly entries: readonly { readonly target: { readonly id: string } }[];
  readonly next_cursor: string | null;
}

async function readPage(query: string): Promise<Page> {
  const answer = await fetch(`${url}/api/v1/audit?${query}`);
  const page: Page = JSON.parse(await answer.text());
  return page;
}

function targetsOf({ entries }: Page): string[] {
  return entries.map(({ target }) => target.id);
}
