import type { AccountProfile, ConnectionHealth, CredentialType } from "@infragpt/connector-kit";

export const INTEGRATION_STATUSES = [
  "active",
  "inactive",
  "pending",
  "not_started",
  "suspended",
  "deleted",
] as const;
export type IntegrationStatus = (typeof INTEGRATION_STATUSES)[number];

/** One account of one vendor, connected by one organization. */
export interface Integration {
  readonly id: string;
  readonly organizationId: string;
  readonly connectorId: string;
  /** How the people of the organization tell it from others of the same vendor. */
  readonly label: string;
  readonly status: IntegrationStatus;
  readonly profile: AccountProfile;
  readonly health: IntegrationHealth;
  /** Our user who connected it; undefined for one from the configuration. */
  readonly userId: string | undefined;
  /** The vendor's id of the person who agreed. */
  readonly connectorUserId: string | undefined;
  readonly credentialType: CredentialType | undefined;
  readonly credentialsExpireAt: Date | undefined;
  /** "failed": only a person can renew the credentials now. */
  readonly refreshState: "idle" | "running" | "failed";
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastUsedAt: Date | undefined;
  readonly syncedAt: Date | undefined;
}

/** What is kept as health; that an account is suspended is the status of its integration. */
export type KnownHealth = Exclude<ConnectionHealth, { readonly status: "suspended" }>;

export interface IntegrationHealth {
  readonly status: KnownHealth["status"] | "unknown";
  readonly detail: string | undefined;
  readonly checkedAt: Date | undefined;
  readonly lastSuccessAt: Date | undefined;
  /** In the vendor's words. */
  readonly missingPermissions: readonly string[];
}

/** A delivery of a vendor, once it is stored. */
export interface StoredDelivery {
  readonly id: string;
  readonly organizationId: string | undefined;
  readonly connectorId: string;
  readonly accountId: string;
  readonly deliveryId: string;
  readonly messageKey: string | undefined;
  readonly orderKey: string;
  readonly kind: string;
  readonly body: Uint8Array;
  readonly state: "stored" | "handled" | "ignored" | "dead";
}

/** Bounds on what a connector hands over, so that one odd delivery cannot fill an index or fail its neighbours. */
export const DELIVERY_LIMITS = { keyCharactersMax: 500, bodyBytesMax: 25 * 1024 * 1024 } as const;
