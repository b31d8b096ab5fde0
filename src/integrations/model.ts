import type { AccountProfile, ConnectionHealth } from "@infragpt/connector-kit";

/** One account of one vendor, connected by one organization. */
export interface Integration {
  readonly id: string;
  readonly organizationId: string;
  readonly connectorId: string;
  readonly label: string;
  readonly profile: AccountProfile;
  readonly health: IntegrationHealth;
}

export interface IntegrationHealth {
  readonly status: ConnectionHealth["status"] | "unknown";
  readonly detail: string | undefined;
  readonly checkedAt: Date | undefined;
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
