import { BOT_EVENTS, BOT_SCOPES } from "./scopes.ts";

export interface ManifestInput {
  /** At most 35 characters. */
  readonly name: string;
  readonly transport: "socket" | "http";
  /** Where Slack reaches the service over HTTP: "https://infragpt.example.com", without a slash at its end. */
  readonly publicUrl: string;
  /** Where Slack sends people back to after OAuth. */
  readonly redirectUrl: string;
}

/** What Slack takes to make an app: https://docs.slack.dev/reference/app-manifest (2026-11). */
export type SlackManifest = { readonly [key: string]: unknown };

const DESCRIPTION = "Answers what your infrastructure does, and acts only with your approval.";
const NAME_CHARACTERS_MAX = 35;

/** The manifest of an app that fits this service: its scopes, events, command and addresses. */
export function slackManifest(input: ManifestInput): SlackManifest {
  const isHttp = input.transport === "http";
  const name = input.name.slice(0, NAME_CHARACTERS_MAX);
  return {
    display_information: { name, description: DESCRIPTION, background_color: "#1d2733" },
    features: {
      agent_view: { agent_description: DESCRIPTION, suggested_prompts: PROMPTS },
      app_home: {
        home_tab_enabled: true,
        messages_tab_enabled: true,
        messages_tab_read_only_enabled: false,
      },
      bot_user: { display_name: name, always_online: true },
      slash_commands: [
        {
          command: "/infragpt",
          description: "Ask, show the state, switch monitoring",
          usage_hint: "[question | status | monitor people|alerts|off | help]",
          should_escape: false,
          ...(isHttp && { url: `${input.publicUrl}/slack/commands` }),
        },
      ],
    },
    oauth_config: { redirect_urls: [input.redirectUrl], scopes: { bot: [...BOT_SCOPES] } },
    settings: {
      event_subscriptions: {
        ...(isHttp && { request_url: `${input.publicUrl}/slack/events` }),
        bot_events: [...BOT_EVENTS],
      },
      interactivity: {
        is_enabled: true,
        ...(isHttp && { request_url: `${input.publicUrl}/slack/interactivity` }),
      },
      org_deploy_enabled: true,
      socket_mode_enabled: !isHttp,
      token_rotation_enabled: false,
    },
  };
}

const PROMPTS = [
  { title: "What is wrong?", message: "What is wrong right now?" },
  { title: "What changed?", message: "What changed in the last hour?" },
  { title: "Show the state", message: "Is everything connected and healthy?" },
  { title: "Explain an alert", message: "Explain the newest alert and what to check first." },
];

/** The page of Slack that makes the app: it opens with the manifest filled in. */
export function newAppUrl(manifest: SlackManifest): string {
  const url = new URL("https://api.slack.com/apps");
  url.searchParams.set("new_app", "1");
  url.searchParams.set("manifest_json", JSON.stringify(manifest));
  return url.href;
}
