import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newAppUrl, slackManifest, type ManifestInput } from "./manifest.ts";
import { REQUIRED_BOT_SCOPES } from "./identify.ts";
import { BOT_SCOPES } from "./scopes.ts";

const input: ManifestInput = {
  name: "InfraGPT",
  transport: "socket",
  publicUrl: "https://infragpt.example.com",
  redirectUrl: "https://infragpt.example.com/slack",
};

describe("the manifest of the Slack app", () => {
  it("asks for every scope that the bot needs", () => {
    const missing = REQUIRED_BOT_SCOPES.filter((scope) => !BOT_SCOPES.includes(scope));

    assert.deepEqual(missing, []);
  });

  it("needs no address for events over sockets", () => {
    const text = JSON.stringify(slackManifest(input));

    assert.ok(text.includes('"socket_mode_enabled":true'));
    assert.ok(!text.includes("request_url"));
    assert.ok(text.includes("agent_view"));
  });

  it("names the three addresses of the HTTP transport", () => {
    const text = JSON.stringify(slackManifest({ ...input, transport: "http" }));

    for (const path of ["events", "commands", "interactivity"]) {
      assert.ok(text.includes(`https://infragpt.example.com/slack/${path}"`), path);
    }
  });

  it("stays within Slack's limits", () => {
    const manifest = slackManifest({
      ...input,
      name: "A name that is much too long for an app of Slack",
    });
    const { display_information: display, features } = JSON.parse(JSON.stringify(manifest));

    assert.ok(display.name.length <= 35);
    assert.ok(display.description.length <= 140);
    assert.ok(features.agent_view.agent_description.length <= 300);
    assert.ok(features.agent_view.suggested_prompts.length <= 4);
  });

  it("travels whole in the link that makes the app", () => {
    const manifest = slackManifest(input);

    const { searchParams } = new URL(newAppUrl(manifest));

    assert.deepEqual(JSON.parse(searchParams.get("manifest_json") ?? ""), manifest);
  });
});
