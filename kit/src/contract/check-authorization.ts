import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { it } from "node:test";
import type { Authorization, Grant } from "../authorization.ts";
import { Secret } from "../secret.ts";
import { assertCredentials, assertNoSecret, inTime, refusalOf } from "./checking.ts";
import type { ContractVendor, StartVendor } from "./vendor.ts";

const REDIRECT_URI = "http://localhost:8080/integrations/callback/contract";

/** How accounts are connected: state, codes, forms. */
export function checkAuthorization(start: StartVendor): void {
  it("carries the state to the vendor unchanged, with the one redirect address and no secret", async (test) => {
    await using vendor = await start();
    const { authorization } = vendor.connector;
    if (authorization?.kind !== "oauth2" && authorization?.kind !== "installation") {
      return test.skip("nobody is sent to the vendor");
    }
    const state = randomBytes(32).toString("base64url");
    const { url, challenge } = beginAt(authorization, state);
    const again = beginAt(authorization, state, challenge);

    const asked = new URL(url);
    assert.equal(asked.searchParams.get("state"), state);
    assert.equal(again.url, url, "begin is pure");
    assertNoSecret(vendor, "the address", url);
    if (authorization.kind !== "oauth2") return;
    assert.equal(asked.searchParams.get("redirect_uri"), REDIRECT_URI);
    if (!authorization.hasPkce) return;
    assert.equal(asked.searchParams.get("code_challenge"), challenge);
    assert.equal(asked.searchParams.get("code_challenge_method"), "S256");
  });

  it("grants what a person agreed to: credentials that hide themselves and the account they speak for", async (test) => {
    await using vendor = await start();
    const attempt = await approve(vendor);
    if (!attempt) return test.skip("no authorization");

    const grant = await attempt.complete();

    assertCredentials(grant.credentials);
    // An installation or a role may be all that is needed: sessions are then made per call.
    const isKeyless = ["installation", "role"].includes(vendor.connector.authorization?.kind ?? "");
    assert.ok(isKeyless || Object.keys(grant.credentials).length > 0);
    assert.match(grant.profile.accountId, /^[\x21-\x7e]{1,500}$/);
    assert.ok(grant.profile.accountName.length > 0);
    assertNoSecret(vendor, "the profile", grant.profile);
    assertNoSecret(vendor, "the grant", grant);
    if (grant.expiresAt) assert.ok(grant.expiresAt > new Date());
  });

  it("refuses what a person did not agree to", async (test) => {
    await using vendor = await start();
    const attempt = await approve(vendor);
    if (!attempt) return test.skip("no authorization");

    for (const [what, complete] of Object.entries(attempt.forged)) {
      await refusalOf(vendor, what, complete);
    }
  });

  it("takes a code once", async (test) => {
    await using vendor = await start();
    const attempt = await approve(vendor);
    if (!attempt || attempt.isForm) return test.skip("no codes");
    await attempt.complete();

    await refusalOf(vendor, "a code that was used", attempt.complete);
  });
}

interface Attempt {
  readonly isForm: boolean;
  readonly complete: () => Promise<Grant>;
  /** By what is wrong with it. */
  readonly forged: Readonly<Record<string, () => Promise<Grant>>>;
}

function beginAt(
  authorization: Extract<Authorization, { kind: "oauth2" | "installation" }>,
  state: string,
  codeChallenge = "contract",
): { readonly url: string; readonly challenge: string } {
  const common = { state, redirectUri: REDIRECT_URI };
  if (authorization.kind === "installation") {
    return { url: authorization.begin(common), challenge: codeChallenge };
  }
  const pkce = authorization.hasPkce ? { codeChallenge } : {};
  return { url: authorization.begin({ ...common, ...pkce }), challenge: codeChallenge };
}

/** Goes to the vendor and comes back with what `complete` takes, and with forgeries of it. */
async function approve(vendor: ContractVendor): Promise<Attempt | undefined> {
  const { authorization } = vendor.connector;
  const person = vendor.authorization;
  if (!authorization) return undefined;
  assert.equal(person?.kind, authorization.kind, "the harness goes through the same authorization");
  const state = randomBytes(32).toString("base64url");
  if (authorization.kind === "oauth2" && person?.kind === "oauth2") {
    const codeVerifier = randomBytes(32).toString("base64url");
    const codeChallenge = createHash("sha256").update(codeVerifier).digest("base64url");
    const { url } = beginAt(authorization, state, codeChallenge);
    const code = await person.approve(url);
    const proof = authorization.hasPkce ? { codeVerifier } : {};
    const input = { code, redirectUri: REDIRECT_URI, ...proof };
    const other = { codeVerifier: randomBytes(32).toString("base64url") };
    return {
      isForm: false,
      complete: () => authorization.complete(input, inTime()),
      forged: {
        "a forged code": () => authorization.complete({ ...input, code: "forged" }, inTime()),
        ...(authorization.hasPkce && {
          "another's verifier": () => authorization.complete({ ...input, ...other }, inTime()),
        }),
      },
    };
  }
  if (authorization.kind === "installation" && person?.kind === "installation") {
    const { url } = beginAt(authorization, state);
    const input = { ...(await person.approve(url)), redirectUri: REDIRECT_URI };
    const { foreignInstallationId: installationId } = person;
    return {
      isForm: false,
      complete: () => authorization.complete(input, inTime()),
      forged: {
        "another's installation": () =>
          authorization.complete({ ...input, installationId }, inTime()),
        "a forged code": () => authorization.complete({ ...input, code: "forged" }, inTime()),
      },
    };
  }
  if (person?.kind !== "api_key" && person?.kind !== "role") return undefined;
  const externalId = crypto.randomUUID();
  const values = toSecrets(await person.fill(externalId));
  const wrong = toSecrets(person.wrong);
  if (authorization.kind === "api_key") {
    return {
      isForm: true,
      complete: () => authorization.complete({ values }, inTime()),
      forged: { "a wrong key": () => authorization.complete({ values: wrong }, inTime()) },
    };
  }
  if (authorization.kind !== "role") return undefined;
  const others = crypto.randomUUID();
  return {
    isForm: true,
    complete: () => authorization.complete({ values, externalId }, inTime()),
    forged: {
      "a wrong role": () => authorization.complete({ values: wrong, externalId }, inTime()),
      "another customer's external id": () =>
        authorization.complete({ values, externalId: others }, inTime()),
    },
  };
}

function toSecrets(values: Readonly<Record<string, string>>): Record<string, Secret> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, new Secret(value)]),
  );
}
