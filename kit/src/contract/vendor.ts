import type { Connection, Connector } from "../connector.ts";
import type { AccountProfile, WebhookRequest } from "../connector.ts";
import type { Secret } from "../secret.ts";

/** What the vendor of a test does with the next calls instead of answering plainly. */
export type VendorFault =
  /** 429 with `Retry-After`; nothing is performed. */
  | { readonly kind: "rate_limited"; readonly retryAfterSeconds: number }
  /** An answer of 503; nothing is performed. */
  | { readonly kind: "server_error" }
  /** Never answers; nothing is performed. */
  | { readonly kind: "hangs" }
  /** Performs, then cuts the connection: nobody hears the answer. */
  | { readonly kind: "answer_lost" }
  /** An answer that is not of the vendor: HTML where JSON should be. */
  | { readonly kind: "malformed" }
  /** The credentials are refused. */
  | { readonly kind: "unauthorized" };

/** How a person goes through this vendor's authorization. */
export type ContractAuthorization =
  | {
      readonly kind: "oauth2";
      /** A person presses Allow on the page of this address. Returns the code. */
      approve(url: string): Promise<string> | string;
    }
  | {
      readonly kind: "installation";
      approve(
        url: string,
      ):
        | Promise<{ code: string; installationId: string }>
        | { code: string; installationId: string };
      /** An installation that is not of the person who approves. */
      readonly foreignInstallationId: string;
    }
  | {
      readonly kind: "api_key" | "role";
      /** What a person types in; for a role, after the vendor trusts this external id. */
      fill(externalId: string): Promise<Readonly<Record<string, string>>>;
      /** The same with a mistake that only the vendor can see. */
      readonly wrong: Readonly<Record<string, string>>;
    };

export interface ContractWebhook {
  readonly path: string;
  /** A request as the vendor signs it at that time. The same `id` is the same delivery. */
  sign(input: { readonly at: Date; readonly id: string }): WebhookRequest;
  /** The signature covers the time: requests ten minutes off are refused. */
  readonly isTimed: boolean;
  readonly account: AccountProfile;
}

/**
 * One vendor, made anew for each promise: a real small server on a loopback port, and the connector
 * that is told its address. Leave out what the vendor does not have.
 */
export interface ContractVendor extends AsyncDisposable {
  readonly connector: Connector;
  /** Everything that must never show: tokens, keys, client and signing secrets. Read at the end of each promise. */
  secrets(): readonly string[];
  /** From now on every call goes wrong like this, until `undefined` is given. */
  fail(fault: VendorFault | undefined): void;
  /** How many changes the vendor has performed; reads leave it as it is. */
  changes(): number;
  /** An account that is connected, with credentials that work. */
  connect(): Promise<Connection>;
  readonly authorization?: ContractAuthorization;
  readonly webhooks?: readonly ContractWebhook[];
  /** An input for each operation by its name. */
  readonly inputs?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Ids of every resource of the account; more than one page of them. */
  readonly resourceIds?: readonly string[];
  /** The vendor's own idea of whether credentials still work. */
  accepts?(credentials: Readonly<Record<string, Secret>>): boolean;
}

/** Starts the vendor of a test. */
export type StartVendor = () => Promise<ContractVendor>;
