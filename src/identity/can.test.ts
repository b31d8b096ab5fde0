import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type Principal } from "#platform";
import { assertCan, assertSamePrincipal, can } from "./can.ts";
import {
  LOCAL_ORGANIZATION_ID,
  TOKEN_SCOPES,
  actsAsLocalAdmin,
  mayEverAct,
  permissionsOfRole,
  readOnly,
} from "./model.ts";

const admin: Principal = {
  kind: "user",
  organizationId: "acme",
  id: "ana",
  userId: "ana",
  permissions: permissionsOfRole("org:admin"),
  directory: { organizationId: "org_acme", userId: "user_ana" },
};

function codeOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    return error instanceof AppError ? error.code : "no AppError";
  }
  return "allowed";
}

test("an unknown role may do nothing, a mapped one what was mapped, and nobody uses credentials", () => {
  assert.deepEqual([...permissionsOfRole("org:owner")], []);
  assert.deepEqual([...permissionsOfRole("constructor")], []);
  assert.deepEqual(
    [...permissionsOfRole("org:owner", ["audit:read", "credential:use", "x"])],
    ["audit:read"],
  );
  assert.equal(permissionsOfRole("org:admin").has("credential:use"), false);
  assert.equal(permissionsOfRole("org:member", ["action:approve"]).has("action:approve"), true);
});

test("another organization's thing does not exist, also for who could not touch it anyway", () => {
  const theirs = { organizationId: "bolt" };
  const member = { ...admin, permissions: permissionsOfRole("org:member") };

  assert.equal(
    codeOf(() => assertCan(admin, "integration:read", theirs)),
    "not_found",
  );
  assert.equal(
    codeOf(() => assertCan(member, "policy:edit", theirs)),
    "not_found",
  );
  assert.equal(
    codeOf(() => assertCan(member, "policy:edit", { organizationId: "acme" })),
    "forbidden",
  );
  assert.equal(can(admin, "policy:edit", { organizationId: "acme" }), true);
});

test("who looks through another's eyes reads, whatever permissions they seem to have", () => {
  const looking = { ...admin, isReadOnly: true };

  assert.equal(can(looking, "conversation:read"), true);
  assert.equal(can(looking, "action:approve"), false);
  assert.ok([...readOnly(permissionsOfRole("org:admin"))].every((name) => name.endsWith(":read")));
});

test("accesses are changed only by who proved themselves in the last ten minutes", () => {
  assert.equal(can({ ...admin, provenMinutesAgo: 10 }, "integration:connect"), true);
  assert.equal(can({ ...admin, provenMinutesAgo: 11 }, "integration:connect"), false);
  assert.equal(can({ ...admin, provenMinutesAgo: 11 }, "integration:read"), true);
});

test("a program approves nothing and makes no programs", () => {
  assert.deepEqual(
    TOKEN_SCOPES.filter((scope) => /approve|token|credential/.test(scope)),
    [],
  );
});

test("a body may repeat who asks, by either name, and nothing else", () => {
  const agreeing = { organization_id: "org_acme", user_id: "ana", clerk_org_id: "org_acme" };

  assert.equal(
    codeOf(() => assertSamePrincipal(admin, agreeing)),
    "allowed",
  );
  assert.equal(
    codeOf(() => assertSamePrincipal(admin, { clerk_org_id: "acme" })),
    "not_found",
  );
  assert.equal(
    codeOf(() => assertSamePrincipal(admin, { user_id: "ben" })),
    "not_found",
  );
});

test("strangers and guests never act, and only the laptop's own chat acts as its admin", () => {
  assert.equal(mayEverAct({ id: "U1", isGuest: true }), false);
  assert.equal(mayEverAct({ id: "U1", isStranger: true }), false);
  assert.equal(actsAsLocalAdmin("local", LOCAL_ORGANIZATION_ID), true);
  assert.equal(actsAsLocalAdmin("local", "acme"), false);
  assert.equal(actsAsLocalAdmin("clerk", LOCAL_ORGANIZATION_ID), false);
  assert.equal(actsAsLocalAdmin("none", LOCAL_ORGANIZATION_ID), false);
});
