import {
  AppError,
  asAppError,
  httpStatusOf,
  type RawAnswer,
  type RawRequest,
  type RawRoute,
} from "#platform";
import type { Integration } from "../model.ts";
import { completeInBrowser, type CallbackDeps, type CallbackInput } from "./callback.ts";
import { page } from "./page.ts";

export interface RedirectDeps extends CallbackDeps {
  /** Where the console is, without a slash at its end. */
  readonly publicUrl: () => string;
}

/** Where vendors send people back to: `GET /integrations/callback/:connector`, and Slack's older address. */
export function redirectRoutes(deps: RedirectDeps): readonly RawRoute[] {
  return [
    {
      method: "GET",
      path: "/integrations/callback/:connector",
      bodyBytesMax: 0,
      handle: (request) => answer(deps, request.params["connector"] ?? "", request),
    },
    {
      method: "GET",
      path: "/slack",
      bodyBytesMax: 0,
      handle: (request) => answer(deps, "slack", request),
    },
  ];
}

async function answer(
  deps: RedirectDeps,
  connectorId: string,
  request: RawRequest,
): Promise<RawAnswer> {
  try {
    const { signal } = request;
    const input = readQuery(connectorId, request.query);
    const integration = await completeInBrowser(deps, request.headers["cookie"], input, { signal });
    return { status: 303, headers: { ...NO_TRACE, location: consoleAddress(deps, integration) } };
  } catch (error) {
    const refused = asAppError(error);
    const status = httpStatusOf(refused.code);
    if (status >= 500) deps.log.error({ err: error, connectorId }, "redirect failed");
    return page(status, "Not connected", refused.message, `${deps.publicUrl()}/`);
  }
}

/** The address holds a code: no cache keeps it, and no page learns it as its referrer. */
const NO_TRACE = { "cache-control": "no-store", "referrer-policy": "no-referrer" };

function consoleAddress(deps: RedirectDeps, { id, connectorId }: Integration): string {
  const query = new URLSearchParams({ connected: connectorId, integration_id: id });
  return `${deps.publicUrl()}/?${query.toString()}`;
}

function readQuery(connectorId: string, query: URLSearchParams): CallbackInput {
  if (connectorId.length > 63) throw new AppError("not_found", "There is no such connector.");
  return {
    connectorId,
    state: only(query, "state"),
    code: only(query, "code"),
    installationId: only(query, "installation_id"),
    vendorError: only(query, "error"),
  };
}

/** A parameter that comes twice is nobody's honest redirect. */
function only(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw new AppError("invalid_request", `${name} is given twice.`);
  return values[0];
}
