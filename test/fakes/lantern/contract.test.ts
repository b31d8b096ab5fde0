import { Secret, type Connection, type Connector } from "@infragpt/connector-kit";
import { connectorContract, type ContractVendor } from "@infragpt/connector-kit/contract";
import { lanternConnectors } from "./lantern-connectors.ts";
import { signWith, startLantern, type Lantern } from "./start-lantern.ts";

// Forms, roles and webhooks of one account: what no connector that ships has yet.
connectorContract("lantern, by a key", startByKey);
connectorContract("lantern, by a role", startByRole);

async function startByKey(): Promise<ContractVendor> {
  const lantern = await startLantern();
  const { id, key } = lantern.addAccount("Acme");
  const connection: Connection = {
    ...aConnection(id),
    credentials: { api_key: new Secret(key), webhook_secret: new Secret(HOOK_SECRET) },
  };
  return {
    ...common(lantern, connection, 0),
    authorization: {
      kind: "api_key",
      fill: async () => ({ api_key: key, site: "eu" }),
      wrong: { api_key: "lantern-key-wrong", site: "eu" },
    },
    webhooks: [
      {
        path: "/webhooks/lantern/:id",
        isTimed: false,
        account: connection.profile,
        sign({ id: alarmId }) {
          const body = Buffer.from(JSON.stringify({ id: alarmId, title: "Smoke" }));
          const headers = signWith(HOOK_SECRET, body);
          const receivedAt = new Date();
          return { path: "/webhooks/lantern/1", headers, body, receivedAt, connection };
        },
      },
    ],
  };
}

async function startByRole(): Promise<ContractVendor> {
  const lantern = await startLantern();
  const { id } = lantern.addAccount("Acme");
  return {
    ...common(lantern, aConnection(id), 1),
    authorization: {
      kind: "role",
      fill: async (externalId) => ({ role: lantern.addRole(id, externalId) }),
      wrong: { role: lantern.addRole(id) },
    },
  };
}

const HOOK_SECRET = "lantern-hook-secret-4711";

function common(lantern: Lantern, connection: Connection, index: number) {
  return {
    connector: connectorAt(lantern, index),
    secrets: () => [...lantern.secrets(), HOOK_SECRET],
    fail: lantern.fail,
    changes: () => lantern.webhooks().length,
    connect: async () => connection,
    [Symbol.asyncDispose]: () => lantern[Symbol.asyncDispose](),
  };
}

function connectorAt({ apiUrl }: Lantern, index: number): Connector {
  const connector = lanternConnectors(apiUrl)[index];
  if (!connector) throw new Error(`Lantern has no connector ${index}`);
  return connector;
}

function aConnection(accountId: string): Connection {
  const profile = { accountId, accountName: "Acme" };
  return { integrationId: "1", accountId, credentials: {}, profile };
}
