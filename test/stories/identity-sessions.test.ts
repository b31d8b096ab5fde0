import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { App } from "#app";
import { LOCAL_ORGANIZATION_ID } from "#identity";
import { organizationEvent, startFakeClerk, type FakeClerk } from "../fakes/clerk/index.ts";
import { signJwt } from "../fakes/clerk/fake-clerk.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { aMembership, anOrganization, DIRECTORY_START_MS, tell } from "../support/directory.ts";
import { aHome, startService } from "../support/service.ts";

const PARTY = "https://app.example.com";

describe("Sessions of Clerk", () => {
  let clerk: FakeClerk;
  let database: TestDatabase;
  let service: App;
  const opened = new AsyncDisposableStack();

  before(async () => {
    clerk = opened.use(await startFakeClerk());
    database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    service = opened.use(
      await startService({
        databaseUrl: database.url,
        home: home.path,
        clerk: { ...clerk, webhookSecrets: [clerk.webhookSecret], authorizedParties: [PARTY] },
      }),
    );
    await anOrganization(
      service,
      clerk,
      { id: "org_a", name: "Acme" },
      {
        ana: "org:admin",
        ben: "org:member",
        cus: "org:custom",
      },
    );
    await anOrganization(service, clerk, { id: "org_b", name: "Bolt" }, { ana: "org:member" });
  });
  after(() => opened.disposeAsync());

  async function call(
    token: string | undefined,
    path = "/api/v1/me",
    { method = "GET", body }: { method?: string; body?: object } = {},
  ): Promise<{ status: number; json: Shown }> {
    const answer = await fetch(`${service.addresses.http}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json: Shown = JSON.parse(await answer.text());
    return { status: answer.status, json };
  }

  it("are read in both versions, each from its own claims", async () => {
    const first = await call(clerk.mint(v1("ana")));
    const second = await call(
      clerk.mint({ v: 2, sub: "user_ana", o: { id: "org_b", rol: "admin" }, org_id: "org_a" }),
    );

    assert.equal(first.status, 200);
    assert.equal(second.status, 200);
    assert.notEqual(first.json.organization_id, second.json.organization_id);
    // The row says member of org_b, whatever the claim says.
    assert.ok(!second.json.permissions.includes("token:manage"));
    assert.ok(first.json.permissions.includes("token:manage"));
  });

  it("are refused when anything about them is not right", async () => {
    const now = Math.floor(Date.now() / 1000);
    const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const good = { iss: clerk.issuer, iat: now, exp: now + 60, azp: PARTY, ...v1("ana") };
    const keyed = encoded({ alg: "HS256", typ: "JWT", kid: clerk.kid }, good);
    const mac = createHmac("sha256", clerk.jwtKeyPem).update(keyed).digest("base64url");
    const hostile: Record<string, string> = {
      expired: clerk.mint({ ...v1("ana"), iat: now - 120, exp: now - 6 }),
      "not yet valid": clerk.mint({ ...v1("ana"), nbf: now + 60 }),
      "issued in the future": clerk.mint({ ...v1("ana"), iat: now + 60 }),
      "without an end": clerk.mint({ ...v1("ana"), exp: undefined }),
      "of another issuer": clerk.mint({ ...v1("ana"), iss: "https://evil.example.com" }),
      "of a longer issuer": clerk.mint({ ...v1("ana"), iss: `${clerk.issuer}/` }),
      "of alg none": `${encoded({ alg: "none", typ: "JWT" }, good)}.`,
      "of HS256 with the public key": `${keyed}.${mac}`,
      "of RS512": clerk.mint(v1("ana"), { alg: "RS512" }),
      "of an unknown kid": clerk.mint(v1("ana"), { kid: "ins_unknown" }),
      "without a kid": clerk.mint(v1("ana"), { kid: undefined }),
      "of kid __proto__": clerk.mint(v1("ana"), { kid: "__proto__" }),
      "of kid constructor": clerk.mint(v1("ana"), { kid: "constructor" }),
      "of a kid that is no text": clerk.mint(v1("ana"), { kid: { a: 1 } }),
      "with critical headers": clerk.mint(v1("ana"), { crit: ["x"], x: 1 }),
      "of another typ": clerk.mint(v1("ana"), { typ: "at+jwt" }),
      "of a foreign party": clerk.mint({ ...v1("ana"), azp: "https://evil.example.com" }),
      "without a party": clerk.mint({ ...v1("ana"), azp: undefined }),
      "that is pending": clerk.mint({ ...v1("ana"), sts: "pending" }),
      "without a subject": clerk.mint({ ...v1("ana"), sub: undefined }),
      "of an unknown version": clerk.mint({ ...v1("ana"), v: 3 }),
      "of another key with our kid": signJwt(
        { alg: "RS256", kid: clerk.kid },
        good,
        stranger.privateKey,
      ),
      "with its key inside": signJwt(
        { alg: "RS256", jwk: stranger.publicKey.export({ format: "jwk" }) },
        good,
        stranger.privateKey,
      ),
      "of nonsense": "a.b.c",
      "of nothing": ".",
      "that is a service token of nobody": `igpt_${"a".repeat(43)}`,
      "that is too long": `${clerk.mint(v1("ana"))}${"a".repeat(8_200)}`,
    };

    const asked = clerk.jwksRequests;
    for (const [what, token] of Object.entries(hostile)) {
      const { status, json } = await call(token);
      assert.equal(status, 401, what);
      assert.equal(json.error.code, "unauthenticated", what);
    }
    assert.equal((await call(undefined)).status, 401);
    assert.ok(clerk.jwksRequests - asked <= 1, "unknown kids made us ask again and again");
    assert.equal((await call(clerk.mint(v1("ana")))).status, 200);
  });

  it("of a flood of unknown kids ask for keys once", async () => {
    const asked = clerk.jwksRequests;
    await Promise.all(
      Array.from({ length: 300 }, (_, n) => call(clerk.mint(v1("ana"), { kid: `ins_${n}` }))),
    );

    assert.ok(clerk.jwksRequests - asked <= 1);
  });

  it("go on while the key endpoint is away", async () => {
    clerk.setDown(true);
    try {
      const { status } = await call(clerk.mint(v1("ana")));
      assert.equal(status, 200);
    } finally {
      clerk.setDown(false);
    }
  });

  it("carry what the membership allows, and a custom role nothing until it is mapped", async () => {
    const { json } = await call(clerk.mint(v1("ben")));
    assert.deepEqual(json.permissions.toSorted(), [
      "action:request",
      "conversation:read",
      "conversation:send",
      "integration:read",
      "member:read",
      "organization:read",
    ]);

    const custom = clerk.mint(v1("cus"));
    assert.deepEqual((await call(custom)).json.permissions, []);
    const mappings = [{ role: "org:custom", permissions: ["organization:read"] }];
    const body = { mappings };
    const set = await call(clerk.mint(v1("ana")), "/api/v1/role-mappings", { method: "PUT", body });
    assert.equal(set.status, 200);
    assert.deepEqual((await call(custom)).json.permissions, ["organization:read"]);

    const refused = await call(clerk.mint(v1("ben")), "/api/v1/role-mappings", {
      method: "PUT",
      body,
    });
    assert.equal(refused.status, 403);
    assert.match(refused.json.error.message, /member:manage.*admin/);
  });

  it("of somebody who looks through another's eyes can only read", async () => {
    const { json } = await call(clerk.mint({ ...v1("ana"), act: { sub: "user_support" } }));

    assert.equal(json.is_read_only, true);
    assert.ok(json.permissions.length > 0);
    assert.ok(json.permissions.every((permission) => permission.endsWith(":read")));
  });

  it("answer with 404 for bodies that name another organization or person", async () => {
    const token = clerk.mint(v1("ana"));
    const path = "/api/v1/organizations/get";
    const own = await call(token, path, { method: "POST", body: {} });
    assert.equal(own.status, 200);
    assert.equal(own.json.name, "Acme");

    const agreeing = {
      organization_id: own.json.id,
      clerk_org_id: "org_a",
      clerk_user_id: "user_ana",
    };
    assert.equal((await call(token, path, { method: "POST", body: agreeing })).status, 200);
    const disagreeing = [
      { organization_id: LOCAL_ORGANIZATION_ID },
      { clerk_org_id: "org_b" },
      { user_id: LOCAL_ORGANIZATION_ID },
      { clerk_user_id: "user_ben" },
    ];
    for (const body of disagreeing) {
      const { status, json } = await call(token, path, { method: "POST", body });
      assert.equal(status, 404);
      assert.equal(json.error.message, "There is nothing with this id.");
    }
  });

  it("set what the organization is like, in its words only", async () => {
    const token = clerk.mint(v1("ana"));
    const path = "/api/v1/organizations/metadata/set";
    const body = {
      company_size: "small",
      team_size: "6-20",
      use_cases: ["incident_response"],
      observability_stack: ["datadog", "other"],
    };

    assert.equal((await call(token, path, { method: "POST", body })).status, 200);
    const wrong = await call(token, path, { method: "POST", body: { ...body, team_size: "7" } });
    assert.equal(wrong.status, 400);

    const { json } = await call(token, "/api/v1/organizations/get", { method: "POST", body: {} });
    assert.equal(json.metadata.company_size, "small");
    assert.ok(json.metadata.completed_at);
    const onboarding = await call(token, "/api/v1/onboarding");
    assert.equal(onboarding.json.next_step, "first_connection");
  });

  it("make service tokens that end when they are revoked", async () => {
    const token = clerk.mint(v1("ana"));
    const made = await call(token, "/api/v1/tokens", {
      method: "POST",
      body: { name: "ci", scopes: ["organization:read"] },
    });
    assert.equal(made.status, 201);
    assert.match(made.json.token, /^igpt_[\w-]{43}$/);
    assert.equal((await call(made.json.token)).json.kind, "service");
    assert.equal((await call(made.json.token, "/api/v1/tokens")).status, 403);
    const listed = await call(token, "/api/v1/tokens");
    assert.ok(!JSON.stringify(listed.json).includes(made.json.token));

    const other = await call(clerk.mint(v1("ana", "org_b")), `/api/v1/tokens/${made.json.id}`, {
      method: "DELETE",
    });
    assert.equal(other.status, 403);
    const path = `/api/v1/tokens/${made.json.id}`;
    assert.equal((await call(token, path, { method: "DELETE" })).status, 200);
    assert.equal((await call(made.json.token)).status, 401);
  });

  it("end at once with the membership, and with the organization, tokens included", async () => {
    await anOrganization(
      service,
      clerk,
      { id: "org_end", name: "End" },
      {
        ana: "org:admin",
        ben: "org:admin",
      },
    );
    const [ana, ben] = [clerk.mint(v1("ana", "org_end")), clerk.mint(v1("ben", "org_end"))];
    const made = await call(ana, "/api/v1/tokens", {
      method: "POST",
      body: { name: "ci", scopes: ["organization:read"] },
    });
    assert.equal((await call(ben)).status, 200);

    await tell(service, clerk, aMembership("deleted", "ben", "org_end"));
    assert.equal((await call(ben)).status, 403);
    assert.equal((await call(made.json.token)).status, 200);

    const atMs = DIRECTORY_START_MS + 2;
    await tell(service, clerk, organizationEvent("deleted", { id: "org_end", atMs }));
    assert.equal((await call(ana)).status, 403);
    assert.equal((await call(made.json.token)).status, 401);
  });

  it("leave a trail that verifies", async () => {
    const { json } = await call(clerk.mint(v1("ana")), "/api/v1/audit?limit=200");
    const actions = new Set(json.entries.map((entry) => entry.action));

    for (const action of [
      "access.denied",
      "session.started",
      "member.added",
      "token.created",
      "token.revoked",
      "role.mapped",
      "onboarding.updated",
    ]) {
      assert.ok(actions.has(action), action);
    }
  });
});

/** What answers may show; each of them a part of it. */
interface Shown {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly token: string;
  readonly organization_id: string;
  readonly permissions: readonly string[];
  readonly is_read_only: boolean;
  readonly next_step: string;
  readonly metadata: { readonly company_size: string; readonly completed_at: string };
  readonly entries: readonly { readonly action: string }[];
  readonly error: { readonly code: string; readonly message: string };
}

/** Claims of version 1. */
function v1(name: string, organizationId = "org_a"): Record<string, unknown> {
  return { sub: `user_${name}`, org_id: organizationId, org_role: "org:member" };
}

function encoded(...parts: readonly object[]): string {
  return parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
}
