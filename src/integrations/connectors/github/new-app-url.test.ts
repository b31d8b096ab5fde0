import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newAppUrl } from "./new-app-url.ts";
import { EVENTS, listMissing } from "./permissions.ts";

const INPUT = {
  name: "InfraGPT of Acme",
  webUrl: "https://github.com",
  publicUrl: "https://infragpt.acme.example",
  redirectUrl: "https://infragpt.acme.example/integrations/callback/github",
};

describe("The page that makes a GitHub App", () => {
  it("is filled in with where this service is", () => {
    const { origin, pathname, searchParams } = new URL(newAppUrl(INPUT));

    assert.equal(`${origin}${pathname}`, "https://github.com/settings/apps/new");
    assert.partialDeepStrictEqual(Object.fromEntries(searchParams), {
      name: INPUT.name,
      url: INPUT.publicUrl,
      "callback_urls[]": INPUT.redirectUrl,
      webhook_url: "https://infragpt.acme.example/webhooks/github",
      webhook_active: "true",
      request_oauth_on_install: "true",
      public: "false",
    });
  });

  it("asks for every permission and event that this service needs", () => {
    const { searchParams } = new URL(newAppUrl(INPUT));

    assert.deepEqual(listMissing(Object.fromEntries(searchParams)), []);
    assert.equal(searchParams.get("members"), "read");
    for (const name of ["actions", "issues", "pull_requests"]) {
      assert.equal(searchParams.get(name), "write");
    }
    assert.equal(searchParams.get("contents"), "read");
    assert.deepEqual(searchParams.getAll("events[]"), EVENTS);
  });

  it("is that of an organization, or of a server of one's own", () => {
    const ofAcme = new URL(newAppUrl({ ...INPUT, organization: "acme/../x?y" }));
    const ofServer = new URL(newAppUrl({ ...INPUT, webUrl: "https://git.acme.example" }));

    assert.equal(ofAcme.pathname, "/organizations/acme%2F..%2Fx%3Fy/settings/apps/new");
    assert.equal(ofServer.host, "git.acme.example");
  });

  it("has a name that GitHub takes, of 34 characters", () => {
    const { searchParams } = new URL(newAppUrl({ ...INPUT, name: `a${"💥".repeat(20)}` }));

    assert.equal(searchParams.get("name"), `a${"💥".repeat(16)}`);
  });
});
