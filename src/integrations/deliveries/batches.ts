import { querySystem, type Database } from "#database";
import { createBatches, succeeded } from "#platform";
import { listOwnersOfDeliveries } from "../connected/store.ts";
import type { Integration, StoredDelivery } from "../model.ts";
import { listDeliveries, markDeliveries, type DeliveryOutcome } from "./store.ts";

/** A batch reads bodies: more of them at once is more memory and no faster. */
const BATCH_ROWS_MAX = 64;
const BATCHES_IN_FLIGHT_MAX = 2;
const ALL = "deliveries";

interface FoundDelivery {
  readonly stored: StoredDelivery;
  /** Undefined while nobody has connected the account. */
  readonly integration: Integration | undefined;
}

/** Reads and marks deliveries, several at a time where several are handled: one by one that was most of their cost. */
export interface DeliveryBatches {
  find(inboxId: string): Promise<FoundDelivery | undefined>;
  mark(inboxId: string, outcome: DeliveryOutcome): Promise<void>;
}

export function createDeliveryBatches(db: Database): DeliveryBatches {
  const bounds = { itemsMax: BATCH_ROWS_MAX, inFlightMax: BATCHES_IN_FLIGHT_MAX };
  const find = createBatches<string, FoundDelivery | undefined>({
    ...bounds,
    async run(_, ids) {
      const [deliveries, owners] = await Promise.all([
        querySystem(db, "read deliveries", (own) => listDeliveries(own, ids)),
        querySystem(db, "find the owners of deliveries", (own) => listOwnersOfDeliveries(own, ids)),
      ]);
      const byId = new Map(deliveries.map((stored) => [stored.id, stored]));
      return ids.map((id) => succeeded(withOwner(byId.get(id), owners)));
    },
  });
  const mark = createBatches<{ id: string; outcome: DeliveryOutcome }, void>({
    ...bounds,
    async run(_, outcomes) {
      await querySystem(db, "close deliveries", (own) => markDeliveries(own, outcomes));
      return outcomes.map(() => succeeded(undefined));
    },
  });
  return {
    find: (id) => find(ALL, id),
    mark: (id, outcome) => mark(ALL, { id, outcome }),
  };
}

function withOwner(
  stored: StoredDelivery | undefined,
  owners: readonly Integration[],
): FoundDelivery | undefined {
  if (!stored) return undefined;
  const integration = owners.find(
    ({ connectorId, profile }) =>
      connectorId === stored.connectorId && profile.accountId === stored.accountId,
  );
  return { stored, integration };
}
