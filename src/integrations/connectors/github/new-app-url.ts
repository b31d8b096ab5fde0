import { cutText } from "@infragpt/connector-kit";
import { ASKED, EVENTS } from "./permissions.ts";

export interface NewAppInput {
  /** At most 34 characters, unique at GitHub. */
  readonly name: string;
  readonly webUrl: string;
  /** An organization that is to own the app; a person's account otherwise. */
  readonly organization?: string;
  /** "https://infragpt.example.com", without a slash at its end. */
  readonly publicUrl: string;
  /** Where GitHub sends people back to. */
  readonly redirectUrl: string;
}

/**
 * The page of GitHub that makes an app which fits this service, filled in:
 * https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-using-url-parameters (2026-11).
 */
export function newAppUrl(input: NewAppInput): string {
  const { organization, webUrl, publicUrl } = input;
  const owner =
    organization === undefined ? "" : `/organizations/${encodeURIComponent(organization)}`;
  const url = new URL(`${webUrl}${owner}/settings/apps/new`);
  const fields: readonly (readonly [string, string])[] = [
    ["name", cutText(input.name, 34)],
    ["url", publicUrl],
    ["callback_urls[]", input.redirectUrl],
    ["request_oauth_on_install", "true"],
    ["public", "false"],
    ["webhook_active", "true"],
    ["webhook_url", `${publicUrl}/webhooks/github`],
    ...Object.entries(ASKED),
    ...EVENTS.map((event) => ["events[]", event] as const),
  ];
  for (const [name, value] of fields) url.searchParams.append(name, value);
  return url.href;
}
