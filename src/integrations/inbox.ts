import type { Delivery } from "@infragpt/connector-kit";
import { AppError, type Clock, type Failpoint, type Ids } from "#platform";
import { DELIVERY_LIMITS } from "./model.ts";
import type { NewInboxRow } from "./deliveries/store.ts";

/** Rows a batch may hold: larger ones no longer raise throughput and lengthen the wait of the first row. */
const BATCH_ROWS_MAX = 64;
/** One batch on its way to disk while the next one fills. */
const BATCHES_IN_FLIGHT_MAX = 2;
/** Beyond this the sender is told to come again later: memory is bounded, nothing is acknowledged. */
const WAITING_MAX = 20_000;

interface Waiting {
  readonly row: NewInboxRow;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface InboxDeps {
  /** Stores rows that are new and their jobs in one transaction, durable when it resolves. */
  readonly storeBatch: (rows: readonly NewInboxRow[]) => Promise<void>;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly failpoint: Failpoint;
}

export interface Inbox {
  /** Resolves once the delivery is on disk, also when it was there before. */
  store(connectorId: string, delivery: Delivery): Promise<void>;
  /** Resolves when everything accepted so far is stored or refused. */
  drain(): Promise<void>;
}

/**
 * Collects deliveries into micro-batches without a timer: the first goes at once, those that arrive
 * while it is written form the next batch. Ids are given on arrival and decide the order within an
 * order key, so a key never travels in two batches at once.
 */
export function createInbox(deps: InboxDeps): Inbox {
  let waiting: Waiting[] = [];
  const inFlight = new Set<Promise<void>>();
  const keysInFlight = new Set<string>();

  function pump(): void {
    while (waiting.length > 0 && inFlight.size < BATCHES_IN_FLIGHT_MAX) {
      const batch = takeBatch();
      if (batch.length === 0) return;
      const run = writeBatch(batch).finally(() => {
        inFlight.delete(run);
        for (const { row } of batch) keysInFlight.delete(row.orderKey);
        pump();
      });
      inFlight.add(run);
    }
  }

  function takeBatch(): readonly Waiting[] {
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    const heldBack = new Set(keysInFlight);
    for (const entry of waiting) {
      if (batch.length < BATCH_ROWS_MAX && !heldBack.has(entry.row.orderKey)) batch.push(entry);
      else {
        left.push(entry);
        // A later delivery of this key must not overtake the one that was just left behind.
        heldBack.add(entry.row.orderKey);
      }
    }
    for (const { row } of batch) keysInFlight.add(row.orderKey);
    waiting = left;
    return batch;
  }

  async function writeBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      await deps.storeBatch(batch.map(({ row }) => row));
    } catch (error) {
      const [only] = batch;
      if (batch.length === 1 && only) return only.reject(error);
      // One row may be at fault: its neighbours are stored without it.
      for (const entry of batch) await writeBatch([entry]);
      return;
    }
    deps.failpoint("ingested");
    for (const { resolve } of batch) resolve();
  }

  return {
    async store(connectorId, delivery) {
      assertStorable(delivery);
      if (waiting.length >= WAITING_MAX) {
        throw new AppError(
          "unavailable",
          "Too many deliveries wait to be stored; send this one again later.",
        );
      }
      const row: NewInboxRow = {
        ...delivery,
        id: deps.ids(),
        connectorId,
        receivedAt: deps.clock.now(),
      };
      await new Promise<void>((resolve, reject) => {
        waiting.push({ row, resolve, reject });
        pump();
      });
    },

    async drain() {
      while (inFlight.size > 0) await Promise.allSettled(inFlight);
    },
  };
}

function assertStorable(delivery: Delivery): void {
  const keys = [
    delivery.deliveryId,
    delivery.accountId,
    delivery.orderKey,
    delivery.messageKey ?? "-",
    delivery.kind,
  ];
  if (keys.some(isUnfitKey)) {
    throw new AppError(
      "invalid_request",
      "The delivery has an empty, overlong or binary identifier.",
    );
  }
  if (delivery.body.byteLength > DELIVERY_LIMITS.bodyBytesMax) {
    throw new AppError("payload_too_large", "The delivery is larger than 25 MiB.");
  }
}

function isUnfitKey(key: string): boolean {
  return key === "" || key.length > DELIVERY_LIMITS.keyCharactersMax || key.includes("\u0000");
}
