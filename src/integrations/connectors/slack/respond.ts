import { ConnectorError } from "@infragpt/connector-kit";
import type { SlackConfig } from "./config.ts";
import { toMrkdwn } from "./mrkdwn.ts";
import { toConnectorError } from "./web-errors.ts";

/** Where Slack and GovSlack take answers to commands. */
const RESPONSE_HOSTS: ReadonlySet<string> = new Set(["hooks.slack.com", "hooks.slack-gov.com"]);

/** Answers a command for its author alone. Throws ConnectorError. */
export async function respondToCommand(
  config: Pick<SlackConfig, "apiUrl" | "callTimeoutMs">,
  answer: { readonly responseUrl: string; readonly text: string },
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const url = getResponseUrl(answer.responseUrl, config.apiUrl);
  const body = { response_type: "ephemeral", replace_original: false, text: toMrkdwn(answer.text) };
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      redirect: "error",
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(config.callTimeoutMs)]),
    });
    await response.body?.cancel();
  } catch (error) {
    throw toConnectorError(error, "response_url");
  }
  if (!response.ok) throw toStatusError(response);
}

/** The address arrived in a payload: only Slack's own hosts, or the configured one, are called. */
function getResponseUrl(responseUrl: string, apiUrl: string): URL {
  const url = URL.parse(responseUrl);
  const isSlack = url?.protocol === "https:" && url.port === "" && RESPONSE_HOSTS.has(url.hostname);
  const isConfigured = url !== null && url.origin === new URL(apiUrl).origin;
  const hasUser = url !== null && (url.username !== "" || url.password !== "");
  if (url === null || hasUser || !(isSlack || isConfigured)) {
    throw new ConnectorError("rejected", "the response_url of a command is not Slack's");
  }
  return url;
}

function toStatusError(response: Response): ConnectorError {
  const { status } = response;
  const vendorCode = `http_${status}`;
  if (status === 429) {
    const seconds = Number(response.headers.get("retry-after"));
    const retryAfterMs = seconds > 0 ? seconds * 1_000 : 30_000;
    const message = "Slack limits response_url: try again later";
    return new ConnectorError("rate_limited", message, { vendorCode, retryAfterMs });
  }
  if (status >= 500) {
    return new ConnectorError("uncertain", `Slack answered response_url with HTTP ${status}`, {
      vendorCode,
    });
  }
  // Used five times, or older than 30 minutes.
  return new ConnectorError("gone", "Slack no longer takes an answer to this command", {
    vendorCode,
  });
}
