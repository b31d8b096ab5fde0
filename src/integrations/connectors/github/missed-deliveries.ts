import { setTimeout as sleep } from "node:timers/promises";
import {
  ConnectorError,
  isRecord,
  type Delivery,
  type LinkState,
  type ListenContext,
} from "@infragpt/connector-kit";
import type { GitHubClient, GitHubRequest } from "./client.ts";
import type { Abortable, GitHubDeps } from "./config.ts";
import { createDelivery } from "./webhook.ts";

type MissedDeps = Required<Pick<GitHubDeps, "clock" | "random" | "pause">> & {
  readonly client: Pick<GitHubClient, "asApp">;
};

const LOOK_EVERY_MS = 60_000;
/** GitHub keeps deliveries for three days: https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries (2026-11). */
const LOOK_BACK_MS = 3 * 86_400_000;
/** What was stored last says when somebody listened; looks before it may have failed for a while. */
const OVERLAP_AT_START_MS = 6 * 3_600_000;
/** A delivery under way at the last look may have failed since. */
const OVERLAP_MS = 120_000;
const PAGE_SIZE = 100;
const PAGES_MAX = 200;
/** One look fetches so many; the next one goes on. */
const FETCHED_MAX = 200;
const LINK = "missed deliveries";

/**
 * GitHub delivers once and never again. Its log says what did not arrive, and what was in it: while
 * nobody can reach us, such as on a laptop, this is the only way in. Runs until aborted.
 */
export async function catchUp(deps: MissedDeps, context: ListenContext): Promise<void> {
  const { signal, log } = context;
  const report = reportChanges(context);
  const seen = new Set<string>();
  let since = beginningOf(deps.clock.now(), context.lastDeliveredAt);
  report("connecting");
  while (!signal.aborted) {
    let pauseMs = LOOK_EVERY_MS * (0.8 + deps.random() * 0.4);
    try {
      const request = await deps.client.asApp({ signal });
      const look = await fetchMissed(request, { since, seen }, context);
      since = look.since;
      report("open");
      if (look.count > 0) log.info({ count: look.count }, "missed deliveries of GitHub fetched");
    } catch (error) {
      if (signal.aborted) return;
      const isKnown = error instanceof ConnectorError;
      const detail = isKnown ? error.message : "an unexpected failure";
      report("closed", detail);
      log.warn({ err: error }, "missed deliveries of GitHub cannot be read");
      pauseMs = Math.max(pauseMs, isKnown ? (error.retryAfterMs ?? 0) : 0);
    }
    await deps.pause(pauseMs, { signal });
  }
}

/** Ends early, without rejecting, when the signal aborts. */
export async function pauseFor(pauseMs: number, { signal }: Abortable): Promise<void> {
  await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
}

function reportChanges({ report }: Pick<ListenContext, "report">) {
  let last: LinkState | undefined;
  return (state: LinkState["state"], detail?: string): void => {
    if (last?.state === state && last.detail === detail) return;
    last = { name: LINK, state, ...(detail !== undefined && { detail }) };
    report(last);
  };
}

function beginningOf(now: Date, lastDeliveredAt: Date | undefined): Date {
  const oldestMs = now.getTime() - LOOK_BACK_MS;
  const lastMs = (lastDeliveredAt?.getTime() ?? 0) - OVERLAP_AT_START_MS;
  return new Date(Math.max(oldestMs, lastMs));
}

interface Attempt {
  /** Beyond what a number holds exactly. */
  readonly id: number | bigint;
  readonly guid: string;
  readonly event: string;
  readonly delivered_at: string;
  readonly status_code: number;
  readonly installation_id: number | bigint | null;
}

async function fetchMissed(
  request: GitHubRequest,
  from: { readonly since: Date; readonly seen: Set<string> },
  { deliver, log }: Pick<ListenContext, "deliver" | "log">,
): Promise<{ readonly since: Date; readonly count: number }> {
  const attempts = await listAttempts(request, from.since, log);
  const missed = missedIn(attempts).filter(({ guid }) => !from.seen.has(guid));
  const now = missed.slice(0, FETCHED_MAX);
  let count = 0;
  for (const attempt of now) {
    const delivery = await fetchDelivery(request, attempt, log);
    if (delivery) {
      await deliver(delivery);
      count += 1;
    }
    from.seen.add(attempt.guid);
  }
  // What is left over is older than anything that comes: the next look begins there again.
  if (now.length < missed.length) return { since: from.since, count };
  const newest = attempts[0] ? Date.parse(attempts[0].delivered_at) - OVERLAP_MS : 0;
  forgetSeen(from.seen, attempts);
  return { since: new Date(Math.max(newest, from.since.getTime())), count };
}

/** Newest first, back to `since`. */
async function listAttempts(
  request: GitHubRequest,
  since: Date,
  log: ListenContext["log"],
): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { data, headers } = await request("GET /app/hook/deliveries", {
      per_page: PAGE_SIZE,
      ...(cursor !== undefined && { cursor }),
    });
    const fresh = data.filter(({ delivered_at: at }) => Date.parse(at) >= since.getTime());
    attempts.push(...fresh);
    cursor = cursorIn(headers);
    if (fresh.length < data.length || cursor === undefined) return attempts;
  }
  log.warn(
    { since, count: attempts.length },
    "too many deliveries of GitHub to look at all of them",
  );
  return attempts;
}

function cursorIn({ link }: { readonly link?: string | undefined }): string | undefined {
  const next = /<([^<>]+)>;\s*rel="next"/.exec(link ?? "")?.[1];
  return URL.parse(next ?? "")?.searchParams.get("cursor") ?? undefined;
}

/** Oldest first: of each delivery the last attempt, where none was answered with 2xx. */
function missedIn(attempts: readonly Attempt[]): readonly Attempt[] {
  const arrived = new Set(
    attempts.filter(({ status_code: code }) => code >= 200 && code < 300).map(({ guid }) => guid),
  );
  const missed = new Map<string, Attempt>();
  for (const attempt of attempts) {
    if (attempt.installation_id === null || arrived.has(attempt.guid)) continue;
    if (!missed.has(attempt.guid)) missed.set(attempt.guid, attempt);
  }
  return [...missed.values()].toReversed();
}

/** Undefined for one that GitHub has no more: it would stand in the way of all that come after it. */
async function fetchDelivery(
  request: GitHubRequest,
  { id, guid, event }: Attempt,
  log: ListenContext["log"],
): Promise<Delivery | undefined> {
  const payload = await fetchPayload(request, id).catch((error: unknown) => {
    const isGone = error instanceof ConnectorError && ["gone", "rejected"].includes(error.kind);
    if (!isGone) throw error;
    log.warn(
      { err: error, deliveryId: guid },
      "a missed delivery of GitHub cannot be read any more",
    );
    return undefined;
  });
  if (!isRecord(payload)) return undefined;
  const body = Buffer.from(JSON.stringify(payload, withoutBigInts));
  return createDelivery({ event, guid, payload, body });
}

async function fetchPayload(request: GitHubRequest, id: Attempt["id"]): Promise<unknown> {
  // Not the typed route, whose id is a number.
  const { data } = await request(`GET /app/hook/deliveries/${id}`);
  const sent = isRecord(data) ? data["request"] : undefined;
  return isRecord(sent) ? sent["payload"] : undefined;
}

/** As JSON.parse reads the bytes of a webhook. */
function withoutBigInts(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/** What is no longer in the window is not asked for again. */
function forgetSeen(seen: Set<string>, attempts: readonly Attempt[]): void {
  const inWindow = new Set(attempts.map(({ guid }) => guid));
  for (const guid of seen) if (!inWindow.has(guid)) seen.delete(guid);
}
