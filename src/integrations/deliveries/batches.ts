import { querySystem, type Database } from "#database";
import { createBatches, succeeded } from "#platform";
import { hasEndedIntegration, listOwnersOfDeliveries } from "../connected/store.ts";
import { DELIVERY_LIMITS, type Integration, type StoredDelivery } from "../model.ts";
import { listDeliveries, markDeliveries, type DeliveryOutcome } from "./store.ts";

/** A batch reads bodies: more of them at once is more memory and no faster. */
const BATCH_ROWS_MAX = 64;
const BATCHES_IN_FLIGHT_MAX = 2;
/** Larger ones are read one by one: vendors send up to 25 MiB. */
const SMALL_BYTES_MAX = 256 * 1024;
const ALL = "deliveries";

interface FoundDelivery {
  readonly stored: StoredDelivery;
  /** Undefined while nobody has connected the account. */
  readonly integration: Integration | undefined;
}

type StoredRow = Omit<StoredDelivery, "body"> & { readonly body: Uint8Array | undefined };

interface FoundRow {
  readonly row: StoredRow;
  readonly integration: Integration | undefined;
}

/** Reads and marks deliveries, several at a time where several are handled: one by one that was most of their cost. */
export interface DeliveryBatches {
  find(inboxId: string): Promise<FoundDelivery | undefined>;
  mark(inboxId: string, outcome: DeliveryOutcome): Promise<void>;
  /** Whether the account of a delivery was connected once; asked where it is not now. */
  hasEnded(stored: Pick<StoredDelivery, "connectorId" | "accountId">): Promise<boolean>;
}

export function createDeliveryBatches(db: Database): DeliveryBatches {
  const bounds = { itemsMax: BATCH_ROWS_MAX, inFlightMax: BATCHES_IN_FLIGHT_MAX };
  const readLarge = createBatches<StoredRow, StoredDelivery>({
    itemsMax: 1,
    inFlightMax: 1,
    async run(_, rows) {
      const ids = rows.map(({ id }) => id);
      const whole = await querySystem(db, "read a large delivery", (own) =>
        listDeliveries(own, ids, { bodyBytesMax: DELIVERY_LIMITS.bodyBytesMax }),
      );
      return rows.map((row, index) =>
        succeeded({ ...row, body: whole[index]?.body ?? Buffer.alloc(0) }),
      );
    },
  });
  const find = createBatches<string, FoundRow | undefined>({
    ...bounds,
    async run(_, ids) {
      const [deliveries, owners] = await Promise.all([
        querySystem(db, "read deliveries", (own) =>
          listDeliveries(own, ids, { bodyBytesMax: SMALL_BYTES_MAX }),
        ),
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
    async find(id) {
      const found = await find(ALL, id);
      if (!found) return undefined;
      const { row, integration } = found;
      const { body } = row;
      const stored = body === undefined ? await readLarge(ALL, row) : { ...row, body };
      return { stored, integration };
    },
    mark: (id, outcome) => mark(ALL, { id, outcome }),
    hasEnded: ({ connectorId, accountId }) =>
      querySystem(db, "see whether a connection has ended", (own) =>
        hasEndedIntegration(own, connectorId, accountId),
      ),
  };
}

function withOwner(
  row: StoredRow | undefined,
  owners: readonly Integration[],
): FoundRow | undefined {
  if (!row) return undefined;
  const integration = owners.find(
    ({ connectorId, profile }) =>
      connectorId === row.connectorId && profile.accountId === row.accountId,
  );
  return { row, integration };
}
