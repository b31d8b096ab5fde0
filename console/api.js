/** A good answer comes well within this; authorizing asks nobody outside. */
const TIMEOUT_MS = 15_000;
/** The service asks the vendor, for which it takes up to 20 s. */
export const VENDOR_TIMEOUT_MS = 28_000;

/** Why a call did not work, in a sentence for people. */
class ApiError extends Error {
  constructor(message, { status, code, cause } = {}) {
    super(message, { cause });
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

/**
 * Asks the service: POST where there is a body, otherwise GET. Throws ApiError. When the session has
 * ended the document hears of "signed-out".
 */
export async function call(path, body, { timeoutMs = TIMEOUT_MS } = {}) {
  const answer = await send(path, body, timeoutMs);
  const json = await readJson(answer, timeoutMs);
  if (answer.ok && json !== undefined) return json;
  if (answer.status === 401) document.dispatchEvent(new Event("signed-out"));
  throw new ApiError(sentenceOf(answer.status, json?.error), {
    status: answer.status,
    code: json?.error?.code,
  });
}

/** Begins to connect an account; without a label it keeps the one it has. */
export function authorize(connectorId, label) {
  return call("/integrations/authorize", {
    connector_type: connectorId,
    ...(label ? { label } : {}),
  });
}

async function send(path, body, timeoutMs) {
  try {
    // The mode stays "cors": with "same-origin", the page's referrer policy would hide its origin,
    // and the service refuses what does not say that it comes from here.
    return await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw asApiError(error, timeoutMs);
  }
}

async function readJson(answer, timeoutMs) {
  try {
    return await answer.json();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw asApiError(error, timeoutMs);
  }
}

function asApiError(cause, timeoutMs) {
  const message =
    cause?.name === "TimeoutError"
      ? `InfraGPT did not answer within ${timeoutMs / 1000} seconds. Try again; if it stays so, run “npx infragpt doctor”.`
      : "InfraGPT cannot be reached. Check that it still runs, then try again.";
  return new ApiError(message, { cause });
}

function sentenceOf(status, error) {
  if (status === 401) return "You are signed out: sign in again.";
  const reference = error?.request_id ? ` (request ${error.request_id})` : "";
  if (status >= 500) {
    const said = error?.message ?? `It answered with status ${status}.`;
    return `${said} Try again; InfraGPT’s log says more${reference}.`;
  }
  return error?.message ?? `InfraGPT answered with status ${status}: its log says why.`;
}
