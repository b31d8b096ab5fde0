import assert from "node:assert/strict";
import { describe, it } from "node:test";

interface Account {
  readonly connector_type: string;
  readonly connector_organization_id: string;
  readonly credential_type: string;
  readonly label: string;
  readonly status: string;
  readonly user_id: string | null;
  readonly health: { readonly status: string; readonly detail: string | null };
  readonly metadata: Readonly<Record<string, string>>;
}

interface Connector {
  readonly id: string;
  readonly name: string;
  readonly authorization: string | null;
  readonly can_connect: boolean;
  readonly reason?: string;
}

interface Words {
  relativeTime(time: string | null, now: Date): string;
  healthWords(account: Account): { readonly tone: string; readonly words: string };
  mendOf(account: Account, connector: Connector | undefined): string | undefined;
  callWords(account: Account, connector: Connector, mend?: string): string;
  sentence(text: string | null): string;
  reasonWords(connector: Connector | undefined): string;
  disconnectWords(account: Account, connector: Connector | undefined): readonly string[];
}

// The page's own file, without types: browsers load it as it is.
const page = new URL("../../console/words.js", import.meta.url).href;
const words: Words = await import(page);

const NOW = new Date("2026-11-27T12:00:00Z");
const GITHUB = { id: "github", name: "GitHub", authorization: "installation", can_connect: true };
const SLACK = { id: "slack", name: "Slack", authorization: "oauth2", can_connect: true };

function anAccount(change: Partial<Account> = {}): Account {
  return {
    connector_type: "slack",
    connector_organization_id: "T1",
    credential_type: "oauth2",
    label: "Production",
    status: "active",
    user_id: "u1",
    health: { status: "healthy", detail: null },
    metadata: { account_name: "Acme" },
    ...change,
  };
}

function ill(status: string, detail: string | null = null): Pick<Account, "health"> {
  return { health: { status, detail } };
}

describe("The words of the page for accounts", () => {
  const times = [
    [null, "never"],
    ["2026-11-27T12:00:30Z", "just now"],
    ["2026-11-27T11:59:30Z", "just now"],
    ["2026-11-27T11:59:00Z", "1 minute ago"],
    ["2026-11-27T11:57:00Z", "3 minutes ago"],
    ["2026-11-27T10:59:00Z", "1 hour ago"],
    ["2026-11-26T12:00:01Z", "23 hours ago"],
    ["2026-11-25T12:00:00Z", "2 days ago"],
  ] as const;
  for (const [time, expected] of times) {
    it(`call ${time} at noon "${expected}"`, () => {
      assert.equal(words.relativeTime(time, NOW), expected);
    });
  }

  it("have a tone and words for every health and every status", () => {
    const healths = ["healthy", "degraded", "expired", "revoked", "unknown"];
    const statuses = ["suspended", "deleted", "inactive", "pending", "not_started"];

    const tones = [
      ...healths.map((health) => words.healthWords(anAccount(ill(health)))),
      ...statuses.map((status) => words.healthWords(anAccount({ status }))),
    ];

    const byTone = Object.groupBy(tones, ({ tone }) => tone);
    assert.deepEqual(Object.keys(byTone).toSorted(), ["bad", "good", "neutral", "warning"]);
    assert.equal(new Set(tones.map((one) => one.words)).size, tones.length);
    assert.equal(byTone["good"]?.length, 1);
  });

  it("say of a suspended account that it is, whatever its health was", () => {
    const suspended = words.healthWords(anAccount({ status: "suspended" }));

    assert.deepEqual(suspended, { tone: "warning", words: "Suspended" });
  });

  it("send to the vendor for what only its pages can mend", () => {
    assert.equal(words.mendOf(anAccount(), SLACK), undefined);
    assert.equal(words.mendOf(anAccount(ill("unknown")), SLACK), undefined);
    assert.equal(words.mendOf(anAccount(ill("degraded")), SLACK), "reconnect");
    assert.equal(words.mendOf(anAccount(ill("revoked")), GITHUB), "reconnect");
    assert.equal(words.mendOf(anAccount(ill("degraded")), GITHUB), "vendor");
    assert.equal(words.mendOf(anAccount({ status: "suspended" }), SLACK), "vendor");
    assert.equal(words.mendOf(anAccount(ill("revoked")), undefined), undefined);
  });

  it("tell whoever follows a link why, and what to press", () => {
    const account = anAccount(ill("revoked", "the token was revoked"));

    assert.equal(
      words.callWords(account, SLACK, "reconnect"),
      "Production needs you. The token was revoked. Press Reconnect to mend it.",
    );
    assert.match(words.callWords(anAccount(), SLACK, "reconnect"), /nothing to mend/);
  });

  it("make a sentence of what a connector says", () => {
    assert.equal(words.sentence("scopes are missing"), "Scopes are missing.");
    assert.equal(words.sentence(" Done! "), "Done!");
    assert.equal(words.sentence(null), "");
  });

  it("name the keys that are missing where nobody can connect", () => {
    const connector = { ...SLACK, authorization: null, can_connect: false };

    const reason = words.reasonWords({ ...connector, reason: "configuration_only" });

    assert.match(reason, /set slack\.client_id, slack\.client_secret and restart/);
    assert.equal(words.reasonWords(SLACK), "");
    assert.match(words.reasonWords(undefined), /not configured any more/);
  });

  it("say what disconnecting does at the vendor", () => {
    const github = words.disconnectWords(anAccount({ connector_type: "github" }), GITHUB).join(" ");
    const key = { connector_type: "lantern", credential_type: "api_key", user_id: null };
    const configured = words.disconnectWords(anAccount(key), undefined).join(" ");

    assert.match(github, /uninstalled from Acme/);
    assert.doesNotMatch(github, /configuration/);
    assert.match(configured, /The key itself stays good/);
    assert.match(configured, /the next start connects it again/);
  });
});
