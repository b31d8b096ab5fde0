import type { Authorization, Refresh } from "./authorization.ts";
import type { Delivery, InboundEvent } from "./inbound.ts";
import type { Messenger } from "./messenger.ts";
import type { Operation } from "./operation.ts";
import type { Resources } from "./resources.ts";
import type { Secret } from "./secret.ts";

/** One connected account of one organization, opened for one call. */
export interface Connection {
  readonly integrationId: string;
  /** The vendor's id of the account: Slack's team ("T0123"), or enterprise ("E0123") for an org-wide install. */
  readonly accountId: string;
  /** By credential name, such as `bot_token`. */
  readonly credentials: Readonly<Record<string, Secret>>;
  /** What the connector learned about the account when it was connected. Never a secret. */
  readonly profile: AccountProfile;
}

/** Who a set of credentials speaks for. */
export interface AccountProfile {
  readonly accountId: string;
  readonly accountName: string;
  /** The id under which our bot speaks and is mentioned, where the vendor has one. */
  readonly botId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * `degraded`: it works, but not for everything. `suspended`: the account has closed it for a while.
 * `expired` and `revoked`: a person must reconnect.
 */
export type ConnectionHealth = (
  | { readonly status: "healthy" }
  | { readonly status: "suspended"; readonly detail: string }
  | {
      readonly status: "degraded" | "expired" | "revoked";
      /** For people, without a secret: what is wrong and what to do. */
      readonly detail: string;
      /** In the vendor's words: "channels:history". */
      readonly missingPermissions?: readonly string[];
    }
) & {
  /** The account as it is called now, where the probe saw it: accounts are renamed. */
  readonly profile?: AccountProfile;
};

/** How a connector writes to the log: facts first, one fixed sentence second. No message text, no credentials. */
export interface ConnectorLog {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** The state of one link of a listener, shown by readiness and the built-in agent. */
export interface LinkState {
  readonly name: string;
  readonly state: "connecting" | "open" | "closed";
  readonly detail?: string;
}

export interface ListenContext {
  readonly signal: AbortSignal;
  readonly log: ConnectorLog;
  /**
   * Stores a delivery. Resolves once it is durable, also when it was stored before; only then
   * acknowledge it. Rejects when it could not be stored: do not acknowledge, the vendor sends again.
   */
  deliver(delivery: Delivery): Promise<void>;
  /** When a delivery of this connector was last stored: what a poller goes on from. */
  readonly lastDeliveredAt?: Date;
  /** Says how a link is doing, each time that changes. */
  report(link: LinkState): void;
}

/** An inbound HTTP request with its raw body: signatures cover bytes. */
export interface WebhookRequest {
  /** The path below the service's root, such as "/slack/events". */
  readonly path: string;
  /** Lower-case names. A repeated header is joined with ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly receivedAt: Date;
  /** The one integration that the path names, for a webhook whose `isPerIntegration` is true. */
  readonly connection?: Connection;
}

export interface WebhookReply {
  readonly status: number;
  readonly contentType?: string;
  readonly body?: string;
}

/**
 * What to do with an inbound request. `deliver` is answered with `reply` (200 without a body by
 * default) once stored, and 503 when it could not be; `reply` is answered at once and stores nothing.
 */
export type WebhookOutcome =
  | { readonly kind: "deliver"; readonly delivery: Delivery; readonly reply?: WebhookReply }
  | { readonly kind: "reply"; readonly reply: WebhookReply }
  | { readonly kind: "refuse"; readonly status: 400 | 401 | 403; readonly reason: string };

export interface Webhook {
  /** Below the service's root: "/webhooks/github". */
  readonly path: string;
  /**
   * Each integration has an address and secrets of its own: the path ends in "/:id" and `receive`
   * is given the connection. The service answers 404 for an id that it does not know.
   */
  readonly isPerIntegration?: boolean;
  readonly bodyBytesMax: number;
  /**
   * Verifies the signature over the raw bytes, then says what it is. Never throws for bad input. A
   * promise where the vendor's keys have to be fetched; nothing else is waited for here.
   */
  receive(request: WebhookRequest): WebhookOutcome | Promise<WebhookOutcome>;
}

/** How to reach one vendor. Facets are optional: a connector has those that its vendor has. */
export interface Connector {
  /** Lower-case, stable, unique: "slack". */
  readonly id: string;
  readonly name: string;
  /** Whether one account may be connected from configuration, and with what. */
  readonly configured?: Readonly<Record<string, Secret>>;
  /** Runs until the signal aborts and never rejects for anything the vendor sends. */
  listen?(context: ListenContext): Promise<void>;
  readonly webhooks?: readonly Webhook[];
  /** What a stored delivery means. Pure; throws only for bytes that no version of the vendor sends. */
  parse?(delivery: Delivery, account: AccountProfile): readonly InboundEvent[];
  readonly messenger?: Messenger;
  /** How a person connects an account. Absent: only the configuration can. */
  readonly authorization?: Authorization;
  /**
   * Prepares a newly connected account, such as by registering a webhook. What it returns is stored
   * beside the credentials. Tried again until it succeeds, so it looks for what an earlier run left
   * behind; `revoke` undoes it. Throws ConnectorError.
   */
  setUp?(
    connection: Connection,
    /** `webhookUrl` is the address of this integration's own webhook, where the connector has one. */
    input: { readonly webhookUrl: string | undefined },
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly credentials?: Readonly<Record<string, Secret>> }>;
  /** New credentials before the old ones expire. */
  readonly refresh?: Refresh;
  /**
   * Takes the grant back at the vendor. Runs until it succeeds, so what is gone already is a
   * success. Throws ConnectorError; `rejected` and `unauthorized` end the attempts.
   */
  revoke?(connection: Connection, options: { readonly signal: AbortSignal }): Promise<void>;
  readonly operations?: readonly Operation[];
  readonly resources?: Resources;
  /** Asks the vendor whom the credentials speak for. Throws ConnectorError. */
  identify?(
    credentials: Readonly<Record<string, Secret>>,
    options: { readonly signal: AbortSignal },
  ): Promise<AccountProfile>;
  /** Asks the vendor whether the credentials work and for what. Throws ConnectorError when it cannot say. */
  checkHealth?(
    connection: Connection,
    options: { readonly signal: AbortSignal },
  ): Promise<ConnectionHealth>;
}

/** States that a value is a connector and keeps its own type. */
export function defineConnector<Definition extends Connector>(definition: Definition): Definition {
  return definition;
}
