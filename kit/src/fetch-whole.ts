import { ConnectorError } from "./errors.ts";
import { isNotSent, networkCodeOf } from "./network-code.ts";

/** What both the platform's fetch and the service's guarded one can be called like. */
export type VendorFetch = (
  url: URL,
  request: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

/** One call to a vendor over HTTP. */
export interface VendorRequest {
  /** For messages: "Beacon". */
  readonly vendor: string;
  /** What it does, for messages: "list services". No secret, no address. */
  readonly action: string;
  readonly url: string | URL;
  /** GET by default. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams;
  readonly timeoutMs: number;
  /** 5 MiB by default. */
  readonly answerBytesMax?: number;
  /** Where the address comes from a tenant or from an answer, the guarded one of the service. */
  readonly fetch?: VendorFetch;
  readonly signal: AbortSignal;
}

const ANSWER_BYTES_MAX = 5 * 1024 * 1024;

/**
 * Makes one attempt and reads the answer whole, whatever its status. Redirects are not followed.
 * Throws ConnectorError when there is no answer: `unavailable` when nothing left this machine,
 * otherwise `uncertain`. Messages hold no address.
 */
export async function fetchWhole(request: VendorRequest): Promise<Response> {
  const response = await send(request);
  try {
    const bytes = await readBytes(response, request.answerBytesMax ?? ANSWER_BYTES_MAX);
    const { status, statusText, headers } = response;
    return new Response(bytes.byteLength === 0 ? null : bytes, { status, statusText, headers });
  } catch {
    const { vendor, action } = request;
    const message = `the answer of ${vendor} to ${action} was cut off or is too large`;
    throw new ConnectorError("uncertain", message);
  }
}

async function send(request: VendorRequest): Promise<Response> {
  const { body, headers = {}, method = "GET", timeoutMs, vendor, action } = request;
  const isForm = body instanceof URLSearchParams;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    signal.throwIfAborted();
    return await (request.fetch ?? fetch)(new URL(request.url), {
      method,
      redirect: "manual",
      headers: { ...(isForm && { "content-type": FORM }), ...headers },
      ...(body === undefined ? {} : { body: body.toString() }),
      signal,
    });
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    const code = networkCodeOf(error);
    if (code !== undefined && isNotSent(code)) {
      throw new ConnectorError("unavailable", `${vendor} cannot be reached to ${action}: ${code}`, {
        vendorCode: code,
      });
    }
    const why = signal.aborted ? "was given up" : "was cut off";
    throw new ConnectorError(
      "uncertain",
      `${vendor}: to ${action} ${why}`,
      code === undefined ? {} : { vendorCode: code },
    );
  }
}

const FORM = "application/x-www-form-urlencoded;charset=UTF-8";

async function readBytes(response: Response, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > bytesMax) throw new RangeError("The answer is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
