import { ConnectorError, type ConnectorErrorKind, type VendorFetch } from "@infragpt/connector-kit";
import { AppError, createGuardedFetch, type GuardedFetchOptions } from "#platform";

/** Logs and the like; the guard's own limit is meant for smaller answers. */
const ANSWER_BYTES_MAX = 20 * 1024 * 1024;

const KIND_BY_CODE: Readonly<Record<string, ConnectorErrorKind>> = {
  invalid_request: "rejected",
  timeout: "uncertain",
};

/** The guarded fetch of the service in the words of the kit: connectors know no AppError. */
export function createVendorFetch(
  options: Pick<GuardedFetchOptions, "isLoopbackAllowed">,
): VendorFetch & AsyncDisposable {
  const guarded = createGuardedFetch({ ...options, responseBytesMax: ANSWER_BYTES_MAX });
  async function vendorFetch(...[url, request]: Parameters<VendorFetch>): Promise<Response> {
    try {
      return await guarded(url, request);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw new ConnectorError(KIND_BY_CODE[error.code] ?? "unavailable", error.message);
    }
  }
  return Object.assign(vendorFetch, {
    [Symbol.asyncDispose]: () => guarded[Symbol.asyncDispose](),
  });
}
