// A replica as far as keys go: it follows the key file and brings records to the primary key.
import { openDatabase } from "#database";
import { createIds, Secret } from "#platform";
import { createKeyKeeper } from "../src/integrations/keys/keep-keys.ts";
import { aLog, auditOf, keyringOf } from "../src/integrations/keys/keys-testing.ts";

const [url = "", keysetPath = ""] = process.argv.slice(2);
const log = aLog();
const { signal } = new AbortController();
const { db } = await openDatabase({
  connection: { kind: "url", url: new Secret(url), poolSize: 3 },
  log,
  signal,
  waitMs: 10_000,
});
const keyring = await keyringOf(keysetPath);
const keeper = createKeyKeeper({ db, keyring, log, ids: createIds(), audit: auditOf(db, keyring) });
process.on("disconnect", () => process.exit());
await keeper.announce({ signal });
process.send?.({ kind: "ready" });
await keeper.keep({ signal });
