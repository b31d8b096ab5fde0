import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { arrayIn } from "@infragpt/connector-kit";
import { PAYMENTS, refusalOf, startAcme, type Acme } from "./github-testing.ts";

const repository = PAYMENTS;
const SEARCH = "GET /search/code";

describe("A search for code", () => {
  it("finds files with the lines around the words, and where to look", async () => {
    await using acme = await fill(await startAcme());

    const answer = await acme.run("search_code", { query: "card declined", repository });

    assert.deepEqual(answer, {
      matches: [
        {
          repository,
          path: "src/pay.ts",
          lines: ["throw new Error('card declined')", "throw new Error('card declined')"],
          url: `${acme.github.webUrl}/acme/payments/blob/main/src/pay.ts`,
        },
      ],
    });
  });

  it("goes through the account's repositories that are shared, and through no others", async () => {
    await using acme = await fill(await startAcme({ install: { repositories: [repository] } }));
    acme.github.addRepository("acme/secrets", { files: { "a.ts": "card declined" } });

    const found = await search(acme, { query: "declined" });
    await acme.github.addToInstallation(Number(acme.connection.accountId), ["acme/secrets"]);
    const later = await search(acme, { query: "declined" });

    assert.deepEqual(found, [repository]);
    assert.deepEqual(later, [repository, "acme/secrets"]);
  });

  it("stays in the one repository that is named", async () => {
    await using acme = await fill(await startAcme());
    acme.github.addRepository("acme/ledger", { files: { "a.ts": "card declined" } });

    assert.deepEqual(await search(acme, { query: "declined", repository }), [repository]);
  });

  it("cannot be widened by a quote that is left open or ends in a word", async () => {
    await using acme = await fill(await startAcme());
    const queries = ['"card', 'card" declined "', 'a" repo:oss/public "declined', '"" declined'];

    for (const query of queries) {
      for (const found of await search(acme, { query })) assert.equal(found, repository, query);
    }

    for (const { query } of acme.github.calls(SEARCH)) assert.match(query["q"]!, /^org:acme /);
  });

  it("shows nothing that is not of the account, should GitHub find it", async () => {
    // Scopes add up at GitHub, and nobody knows what it takes for a quote.
    const query = 'card" repo:oss/public "declined';
    await using acme = await fill(await startAcme());

    const found = await search(acme, { query });
    const named = await search(acme, { query, repository });

    assert.deepEqual(found, [repository]);
    assert.deepEqual(named, [repository]);
  });

  it("finds words that look like a scope when they are quoted", async () => {
    await using acme = await fill(await startAcme());
    acme.github.writeFiles(repository, { "log.txt": "user: 42 has no card" });

    assert.deepEqual(await search(acme, { query: '"user: 42"' }), [repository]);
  });

  it("goes on with the next page", async () => {
    await using acme = await startAcme({ fake: { pageSizeMax: 2 } });
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) acme.github.writeFiles(repository, { [name]: "declined" });

    const paths: unknown[] = [];
    for (let page: unknown = 1; page !== undefined;) {
      const answer = await acme.run("search_code", { query: "declined", page });
      paths.push(...arrayIn(answer, "matches").map((match) => (match as { path: string }).path));
      page = answer["next_page"];
    }

    assert.deepEqual(paths, names);
  });

  it("of a person's own account is a search of that person's", async () => {
    await using acme = await startAcme();
    acme.github.addUser("cleo");
    acme.github.addRepository("cleo/site", { files: { "a.ts": "declined" } });
    const accountId = String(acme.github.install("cleo"));
    const metadata = { account_login: "cleo", account_type: "User" };
    const profile = { accountId, accountName: "cleo", metadata };
    const operation = acme.connector.operations?.find(({ name }) => name === "search_code");

    const input = operation!.input.parse({ query: "declined" });
    const connection = { ...acme.connection, accountId, profile };
    await operation!.run(connection, input, { signal: AbortSignal.timeout(5_000) });

    assert.equal(acme.github.calls(SEARCH)[0]?.query["q"], "user:cleo declined");
  });

  it("says in GitHub's words what cannot be searched", async () => {
    await using acme = await startAcme();

    const { kind, message } = await refusalOf(acme.run("search_code", { query: "path:src" }));

    assert.equal(kind, "rejected");
    assert.match(message, /Validation Failed \(q: missing\)/);
  });
});

/** Code that says the same: of acme, public code of others, and private code of others. */
async function fill(acme: Acme): Promise<Acme> {
  const files = { "src/pay.ts": "throw new Error('card declined')" };
  acme.github.writeFiles(repository, files);
  acme.github.addOrganization("oss", { olga: "admin" });
  acme.github.addRepository("oss/public", { private: false, files });
  acme.github.addOrganization("beta", { ben: "admin" });
  acme.github.addRepository("beta/private", { files });
  return acme;
}

async function search(acme: Acme, input: object): Promise<readonly string[]> {
  const answer = await acme.run("search_code", input);
  return arrayIn(answer, "matches").map((match) => (match as { repository: string }).repository);
}
