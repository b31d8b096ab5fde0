import { sql } from "kysely";
import { follow, type Connector } from "./connecting.ts";
import type { TestDatabase } from "./database.ts";

/** A vendor with a browser, and people who come back to us from it. */
export interface StateWorld {
  readonly connectorType: string;
  readonly database: TestDatabase;
  /** Begins. */
  readonly ana: Connector;
  /** Of the same organization. */
  readonly bob: Connector;
  /** Of another organization. */
  readonly ben: Connector;
  /** A person agrees at the vendor; returns the address that their browser is sent to. */
  approve(url: string): string;
  /** A person presses Cancel there. */
  cancel(url: string): string;
}

/** Everything that a browser can bring back and that connects nothing. */
export function wrongStates(
  world: () => StateWorld,
): readonly { readonly name: string; arrive(): Promise<{ readonly status: number }> }[] {
  function begin() {
    const { ana, connectorType } = world();
    return ana.authorize(connectorType);
  }
  /** Begins, agrees, and changes the address to come back to. */
  async function arriveChanged(
    change: (query: URLSearchParams, state: string) => void,
  ): Promise<{ readonly status: number }> {
    const { url, cookie, state } = await begin();
    const back = new URL(world().approve(url));
    change(back.searchParams, state);
    return follow(back.href, cookie);
  }
  async function arriveAs(who: (world: StateWorld) => Connector) {
    const { url, state } = await begin();
    const { connectorType, approve } = world();
    return who(world()).post("/integrations/callback", {
      connector_type: connectorType,
      ...answerIn(approve(url)),
      state,
    });
  }
  return [
    {
      name: "forged",
      arrive: () => arriveChanged((query) => query.set("state", "A".repeat(43))),
    },
    { name: "missing", arrive: () => arriveChanged((query) => query.delete("state")) },
    {
      name: "given twice",
      arrive: () => arriveChanged((query, state) => query.append("state", state)),
    },
    { name: "without a code", arrive: () => arriveChanged((query) => query.delete("code")) },
    {
      name: "with a forged code",
      arrive: () => arriveChanged((query) => query.set("code", "forged")),
    },
    {
      name: "of another browser",
      async arrive() {
        const { url } = await begin();
        return follow(world().approve(url));
      },
    },
    {
      name: "with the cookie of another state",
      async arrive() {
        const other = await begin();
        const { url, cookie } = await begin();
        const [name] = cookie.split("=");
        return follow(world().approve(url), `${name}=${other.cookie.split("=")[1]}`);
      },
    },
    {
      name: "late",
      async arrive() {
        const { url, cookie } = await begin();
        await sql`update authorization_states set expires_at = now() - interval '1 second'`.execute(
          world().database.db,
        );
        return follow(world().approve(url), cookie);
      },
    },
    { name: "of another person", arrive: () => arriveAs(({ bob }) => bob) },
    { name: "of another organization", arrive: () => arriveAs(({ ben }) => ben) },
    {
      name: "of a person who pressed Cancel",
      async arrive() {
        const { url, cookie } = await begin();
        return follow(world().cancel(url), cookie);
      },
    },
  ];
}

/** What the API takes of the address that a vendor sent a browser to. */
export function answerIn(back: string): Readonly<Record<string, string>> {
  const query = new URL(back).searchParams;
  const taken = ["code", "installation_id"].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return Object.fromEntries(taken);
}
