import {
  ConnectorError,
  Secret,
  defineConnector,
  fetchJson,
  isHmacSha256,
  parseRecord,
  textIn,
  type AccountProfile,
  type Connection,
  type Connector,
  type Webhook,
} from "@infragpt/connector-kit";
import { z } from "zod";

interface Abortable {
  readonly signal: AbortSignal;
}

const Account = z.object({ id: z.string(), name: z.string(), site: z.string() });
const Hook = z.object({ id: z.string(), url: z.string(), secret: z.string() });
const Hooks = z.object({ hooks: z.array(Hook) });

/** Two connectors for one vendor: with a key from a form, and by a role. */
export function lanternConnectors(apiUrl: string): readonly Connector[] {
  async function call<Answer>(
    schema: z.ZodType<Answer>,
    request: { path: string; method?: string; token?: Secret; body?: object },
    { signal }: Abortable,
  ): Promise<Answer> {
    const { path, token, ...rest } = request;
    const { body } = await fetchJson({
      ...rest,
      vendor: "Lantern",
      action: `answer ${path}`,
      url: `${apiUrl}${path}`,
      ...(token && { headers: { authorization: `Bearer ${token.reveal()}` } }),
      timeoutMs: 3_000,
      signal,
    });
    return schema.parse(body);
  }

  async function identify(token: Secret, site: string | undefined, options: Abortable) {
    const account = await call(Account, { path: "/account", token }, options);
    if (site !== undefined && account.site !== site) {
      throw new ConnectorError("rejected", `the key is of the site ${account.site}`);
    }
    return toProfile(account);
  }

  async function findOrAddHook(token: Secret, url: string, options: Abortable) {
    const { hooks } = await call(Hooks, { path: "/hooks", token }, options);
    const known = hooks.find((hook) => hook.url === url);
    if (known) return known;
    return call(Hook, { path: "/hooks", method: "POST", token, body: { url } }, options);
  }

  return [
    defineConnector<Connector>({
      id: "lantern",
      name: "Lantern",
      authorization: {
        kind: "api_key",
        credentialType: "api_key",
        fields: [
          { name: "api_key", label: "API key", isSecret: true, help: "Settings, Keys." },
          { name: "site", label: "Site", isSecret: false, help: "", choices: ["eu", "us"] },
          { name: "note", label: "Note", isSecret: false, help: "", isOptional: true },
        ],
        async complete({ values }, options) {
          const { api_key: key = new Secret(""), site } = values;
          const profile = await identify(key, site?.reveal(), options);
          return { credentials: { api_key: key }, profile };
        },
      },
      async checkHealth(connection, options) {
        await identify(tokenOf(connection), undefined, options);
        return { status: "healthy" };
      },
      async setUp(connection, { webhookUrl = "" }, options) {
        const { secret } = await findOrAddHook(tokenOf(connection), webhookUrl, options);
        return { credentials: { webhook_secret: new Secret(secret) } };
      },
      async revoke(connection, options) {
        const token = tokenOf(connection);
        const { hooks } = await call(Hooks, { path: "/hooks", token }, options);
        const own = hooks.filter(({ url }) => url.endsWith(connection.integrationId));
        for (const { id } of own) {
          await call(z.unknown(), { path: `/hooks/${id}`, method: "DELETE", token }, options);
        }
      },
      webhooks: [alarmWebhook()],
      parse({ body }) {
        const alarm = parseRecord(Buffer.from(body).toString("utf8")) ?? {};
        return [{ kind: "ignored", reason: `the alarm ${textIn(alarm, "id")} is over` }];
      },
    }),
    defineConnector<Connector>({
      id: "lantern_role",
      name: "Lantern by role",
      authorization: {
        kind: "role",
        credentialType: "role",
        fields: [{ name: "role", label: "Role", isSecret: false, help: "Its full name." }],
        begin: ({ externalId }) => ({
          setup: [{ name: "external_id", label: "External id", value: externalId, help: "" }],
        }),
        async complete({ values, externalId }, options) {
          const role = values["role"]?.reveal() ?? "";
          const asked = { path: "/assume", method: "POST" };
          const isOpen = await call(Account, { ...asked, body: { role } }, options).catch(
            () => null,
          );
          if (isOpen) {
            throw new ConnectorError(
              "rejected",
              "the role lets in anybody: ask for the external id",
            );
          }
          const body = { role, external_id: externalId };
          const account = await call(Account, { ...asked, body }, options);
          return { credentials: {}, profile: toProfile(account) };
        },
      },
    }),
  ];
}

function tokenOf({ credentials }: Pick<Connection, "credentials">): Secret {
  return credentials["api_key"] ?? new Secret("");
}

function toProfile({ id, name, site }: z.infer<typeof Account>): AccountProfile {
  return { accountId: id, accountName: name, metadata: { site } };
}

function alarmWebhook(): Webhook {
  return {
    path: "/webhooks/lantern/:id",
    isPerIntegration: true,
    bodyBytesMax: 65_536,
    receive({ headers, body, connection }) {
      const secret = connection?.credentials["webhook_secret"];
      const signature = headers["x-lantern-signature"] ?? "";
      if (!connection || !secret || !isHmacSha256(body, [signature], [secret])) {
        return { kind: "refuse", status: 401, reason: "no valid signature of Lantern" };
      }
      const alarm = parseRecord(Buffer.from(body).toString("utf8")) ?? {};
      const id = textIn(alarm, "id") ?? "";
      const { accountId } = connection;
      const key = `${accountId}:${id}`;
      const delivery = { deliveryId: key, accountId, orderKey: key, kind: "alarm", body };
      return { kind: "deliver", delivery };
    },
  };
}
