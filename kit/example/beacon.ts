// A whole connector, for a vendor that does not exist: Beacon keeps services and incidents.
import {
  ConnectorError,
  defineConnector,
  defineOperation,
  fetchJson,
  type AccountProfile,
  type Connection,
  type Connector,
  type Grant,
  type Json,
  type Secret,
} from "@infragpt/connector-kit";
import { z } from "zod";
import { Account, Incident, ServicePage, Tokens } from "./beacon-answers.ts";
import { createIncidentWebhook, parseIncident } from "./beacon-webhook.ts";

export interface BeaconConfig {
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** Several while one replaces another. */
  readonly signingSecrets: readonly Secret[];
  /** "https://api.beacon.example", without a slash at its end. */
  readonly apiUrl: string;
  readonly callTimeoutMs: number;
}

interface Abortable {
  readonly signal: AbortSignal;
}

interface Call {
  readonly action: string;
  readonly path: string;
  readonly method?: "POST";
  readonly token?: Secret | undefined;
  readonly body?: unknown;
}

/** Beacon's access tokens hold for an hour. */
const REFRESH_BEFORE_MS = 600_000;

export function createBeaconConnector(config: BeaconConfig): Connector {
  const { apiUrl, clientId, clientSecret, callTimeoutMs } = config;

  /** One attempt; what it answers is checked before anybody reads it. */
  async function call<Answer extends z.ZodType>(
    { action, path, method, token, body }: Call,
    answer: Answer,
    { signal }: Abortable,
  ): Promise<z.output<Answer>> {
    const { body: answered } = await fetchJson({
      vendor: "Beacon",
      action,
      url: new URL(path, apiUrl),
      timeoutMs: callTimeoutMs,
      signal,
      ...(method && { method }),
      ...(body !== undefined && { body }),
      ...(token && { headers: { authorization: `Bearer ${token.reveal()}` } }),
    });
    const parsed = answer.safeParse(answered);
    if (parsed.success) return parsed.data;
    throw new ConnectorError("uncertain", `Beacon answered something unknown to ${action}`);
  }

  async function askForTokens(
    action: string,
    proof: Readonly<Record<string, string>>,
    options: Abortable,
  ): Promise<Pick<Grant, "credentials" | "expiresAt"> & { readonly accessToken: Secret }> {
    const client = { client_id: clientId, client_secret: clientSecret.reveal() };
    const request = { action, path: "/oauth/token", method: "POST", body: { ...client, ...proof } };
    const tokens = await call({ ...request, method: "POST" }, Tokens, options);
    const { access_token: accessToken, refresh_token: refreshToken } = tokens;
    return {
      accessToken,
      credentials: { access_token: accessToken, refresh_token: refreshToken },
      expiresAt: new Date(Date.now() + tokens.expires_in * 1_000),
    };
  }

  async function identify(
    credentials: Connection["credentials"],
    options: Abortable,
  ): Promise<AccountProfile> {
    const request = { action: "read the account", path: "/account", token: tokenIn(credentials) };
    const { id, name } = await call(request, Account, options);
    return { accountId: id, accountName: name };
  }

  return defineConnector<Connector>({
    id: "beacon",
    name: "Beacon",
    identify,
    authorization: {
      kind: "oauth2",
      credentialType: "oauth2",
      hasPkce: true,
      begin({ state, redirectUri, codeChallenge = "" }) {
        const url = new URL("/oauth/authorize", apiUrl);
        url.searchParams.set("client_id", clientId);
        url.searchParams.set("redirect_uri", redirectUri);
        url.searchParams.set("state", state);
        url.searchParams.set("code_challenge", codeChallenge);
        url.searchParams.set("code_challenge_method", "S256");
        return url.href;
      },
      async complete({ code, redirectUri, codeVerifier = "" }, options) {
        const proof = {
          grant_type: "authorization_code",
          code,
          redirect_uri: redirectUri,
          code_verifier: codeVerifier,
        };
        const { accessToken: _, ...grant } = await askForTokens("exchange a code", proof, options);
        return { ...grant, profile: await identify(grant.credentials, options) };
      },
    },
    refresh: {
      beforeExpiryMs: REFRESH_BEFORE_MS,
      isSingleUse: true,
      async run({ credentials }, options) {
        const token = credentials["refresh_token"]?.reveal() ?? "";
        const proof = { grant_type: "refresh_token", refresh_token: token };
        const { credentials: fresh, expiresAt } = await askForTokens("refresh", proof, options);
        return { credentials: fresh, ...(expiresAt && { expiresAt }) };
      },
    },
    async revoke({ credentials }, options) {
      const request = { action: "revoke", path: "/oauth/revoke", method: "POST" } as const;
      try {
        await call({ ...request, token: tokenIn(credentials), body: {} }, z.unknown(), options);
      } catch (error) {
        // A token that Beacon no longer knows is what we wanted.
        if (!(error instanceof ConnectorError) || error.kind !== "unauthorized") throw error;
      }
    },
    async checkHealth(connection, options) {
      try {
        await identify(connection.credentials, options);
        return { status: "healthy" };
      } catch (error) {
        if (!(error instanceof ConnectorError) || error.kind !== "unauthorized") throw error;
        return { status: "revoked", detail: "Beacon refuses the token: reconnect it" };
      }
    },
    webhooks: [createIncidentWebhook(config.signingSecrets)],
    parse: parseIncident,
    resources: {
      async list({ credentials }, { pageToken = "" }, options) {
        const path = `/services?page=${encodeURIComponent(pageToken)}`;
        const request = { action: "list services", path, token: tokenIn(credentials) };
        const page = await call(request, ServicePage, options);
        return {
          resources: page.services.map(({ id, name }) => ({ id, kind: "service", name })),
          ...(page.next && { nextPageToken: page.next }),
        };
      },
    },
    operations: [
      defineOperation({
        name: "get_incident",
        description: "Reads one incident: its title, its state and since when.",
        input: z.strictObject({ incident_id: z.string().min(1).max(100) }),
        risk: "read",
        target: ({ incident_id }) => incident_id,
        async run({ credentials }, { incident_id }, options): Promise<Json> {
          const path = `/incidents/${encodeURIComponent(incident_id)}`;
          const request = { action: "read an incident", path, token: tokenIn(credentials) };
          return call(request, Incident, options);
        },
      }),
      defineOperation({
        name: "acknowledge_incident",
        description: "Says that somebody works on an incident, which stops its escalation.",
        input: z.strictObject({ incident_id: z.string().min(1).max(100) }),
        risk: "write",
        target: ({ incident_id }) => incident_id,
        needs: ["incidents:write"],
        async run({ credentials }, { incident_id }, options): Promise<Json> {
          const path = `/incidents/${encodeURIComponent(incident_id)}/acknowledge`;
          const request = { action: "acknowledge", path, method: "POST", body: {} } as const;
          return call({ ...request, token: tokenIn(credentials) }, Incident, options);
        },
      }),
    ],
  });
}

function tokenIn(credentials: Connection["credentials"]): Secret {
  const token = credentials["access_token"];
  if (token) return token;
  throw new ConnectorError("unauthorized", "the Beacon connection has no token: reconnect it");
}
