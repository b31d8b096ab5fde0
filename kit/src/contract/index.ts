import { describe } from "node:test";
import { checkAuthorization } from "./check-authorization.ts";
import { checkCalls } from "./check-calls.ts";
import { checkDefinition } from "./check-definition.ts";
import { checkRenewal } from "./check-renewal.ts";
import { checkResources } from "./check-resources.ts";
import { checkWebhooks } from "./check-webhooks.ts";
import type { StartVendor } from "./vendor.ts";

export type {
  ContractAuthorization,
  ContractVendor,
  ContractWebhook,
  StartVendor,
  VendorFault,
} from "./vendor.ts";

/**
 * What every connector promises, as tests of node:test. `start` makes the vendor anew for each: a
 * small server on a loopback port that can be told to go wrong, and the connector that talks to it.
 * A facet that the connector does not have is skipped and says so.
 *
 * ```ts
 * connectorContract("beacon", startFakeBeacon);
 * ```
 */
export function connectorContract(name: string, start: StartVendor): void {
  describe(`The connector ${name}`, () => {
    checkDefinition(start);
    checkAuthorization(start);
    checkRenewal(start);
    checkWebhooks(start);
    checkCalls(start);
    checkResources(start);
  });
}
