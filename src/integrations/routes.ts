import { z } from "zod";
import { assertSamePrincipal, claimedIds } from "#identity";
import { route, type Route } from "#platform";
import { authorize, type Authorized } from "./authorizing/authorize.ts";
import { completeAsPrincipal, type CallbackDeps } from "./authorizing/callback.ts";
import { validate } from "./authorizing/validate.ts";
import { connectorRoutes } from "./connector-routes.ts";
import { INTEGRATION_STATUSES, type Integration } from "./model.ts";
import { getIntegration, listOwn, syncIntegration, type ReadDeps } from "./read-integrations.ts";
import { revoke, type RevokeDeps } from "./revoke.ts";

export type RouteDeps = CallbackDeps & ReadDeps & RevokeDeps;

const ConnectorType = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);
const IntegrationId = z.string().max(100);
const Label = z
  .string()
  .trim()
  .min(1)
  .max(80)
  .regex(/^[^\p{Cc}]*$/u, "must be one line");
const Credentials = z
  .record(z.string().max(100), z.string().max(20_000))
  .refine((values) => Object.keys(values).length <= 30, "has more than 30 entries");

const Health = z.strictObject({
  status: z.enum(["healthy", "degraded", "expired", "revoked", "unknown"]),
  checked_at: z.iso.datetime().nullable(),
  detail: z.string().nullable(),
  missing_permissions: z.array(z.string()),
  last_success_at: z.iso.datetime().nullable(),
});

const IntegrationAnswer = z.strictObject({
  id: z.string(),
  organization_id: z.string(),
  user_id: z.string().nullable(),
  connector_type: z.string(),
  label: z.string(),
  status: z.enum(INTEGRATION_STATUSES),
  credential_type: z.string().nullable(),
  bot_id: z.string().nullable(),
  connector_user_id: z.string().nullable(),
  connector_organization_id: z.string(),
  metadata: z.record(z.string(), z.string()),
  health: Health,
  health_status: Health.shape.status,
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
  expires_at: z.iso.datetime().nullable(),
});

const AuthorizeAnswer = z.strictObject({
  type: z.enum(["oauth2", "installation", "api_key"]),
  state: z.string(),
  url: z.string().optional(),
  /** Of an app that is installed already, to connect it only. */
  installed_url: z.string().optional(),
  fields: z
    .array(
      z.strictObject({
        name: z.string(),
        label: z.string(),
        secret: z.boolean(),
        help: z.string(),
        optional: z.boolean(),
        choices: z.array(z.string()).optional(),
      }),
    )
    .optional(),
  setup: z
    .array(
      z.strictObject({
        name: z.string(),
        label: z.string(),
        value: z.string(),
        help: z.string(),
      }),
    )
    .optional(),
  expires_at: z.iso.datetime(),
});

const tags = ["integrations"];
const connect = { permission: "integration:connect" } as const;
const read = { permission: "integration:read" } as const;

/** Every body may repeat the principal's ids, as the first clients do. */
function body<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({ ...shape, ...claimedIds });
}

export function integrationRoutes(deps: RouteDeps): readonly Route[] {
  return [...connectRoutes(deps), ...readRoutes(deps), ...connectorRoutes(deps)];
}

function connectRoutes(deps: RouteDeps): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/integrations/authorize",
      summary: "Begins to connect an account: a link to the vendor, or the fields of a form",
      tags,
      access: connect,
      body: body({ connector_type: ConnectorType, label: Label.optional() }),
      answer: AuthorizeAnswer,
      async handle({ body: given, principal, requestId, setHeader, signal }) {
        assertSamePrincipal(principal, given);
        const input = { connectorId: given.connector_type, label: given.label };
        const authorized = await authorize(deps, principal, input, { signal, requestId });
        setHeader("set-cookie", authorized.cookie);
        return authorizeAnswer(authorized);
      },
    }),
    route({
      method: "POST",
      path: "/integrations/callback",
      summary: "Connects the account: what the vendor's redirect or the form brought back",
      tags,
      access: connect,
      body: body({
        connector_type: ConnectorType,
        state: z.string().max(200),
        code: z.string().max(2_000).optional(),
        installation_id: z
          .union([z.string().max(200), z.number().int().nonnegative()])
          .transform(String)
          .optional(),
        credentials: Credentials.optional(),
      }),
      answer: IntegrationAnswer,
      async handle({ body: given, principal, requestId, signal }) {
        assertSamePrincipal(principal, given);
        const input = {
          connectorId: given.connector_type,
          state: given.state,
          code: given.code,
          installationId: given.installation_id,
          credentials: given.credentials,
        };
        const options = { signal, requestId };
        return integrationAnswer(await completeAsPrincipal(deps, principal, input, options));
      },
    }),
    route({
      method: "POST",
      path: "/integrations/validate",
      summary: "Asks the vendor whether credentials work; stores nothing",
      tags,
      access: connect,
      body: body({ connector_type: ConnectorType, credentials: Credentials }),
      answer: z.strictObject({
        valid: z.boolean(),
        errors: z.array(z.string()),
        details: z.strictObject({ account_id: z.string(), account_name: z.string() }).optional(),
      }),
      async handle({ body: given, principal, signal }) {
        assertSamePrincipal(principal, given);
        const input = { connectorId: given.connector_type, credentials: given.credentials };
        const { isValid, errors, profile } = await validate(deps, principal, input, { signal });
        return {
          valid: isValid,
          errors: [...errors],
          ...(profile && {
            details: { account_id: profile.accountId, account_name: profile.accountName },
          }),
        };
      },
    }),
    route({
      method: "POST",
      path: "/integrations/revoke",
      summary: "Ends an integration at once, and takes the grant back at the vendor",
      tags,
      access: { permission: "integration:revoke" },
      body: body({ integration_id: IntegrationId }),
      answer: z.strictObject({}),
      async handle({ body: given, principal, requestId }) {
        assertSamePrincipal(principal, given);
        await revoke(deps, principal, given.integration_id, requestId);
        return {};
      },
    }),
  ];
}

function readRoutes(deps: RouteDeps): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/integrations/list",
      summary: "The organization's integrations; ended ones only with status deleted",
      tags,
      access: read,
      body: body({
        connector_type: ConnectorType.optional(),
        status: z.enum(INTEGRATION_STATUSES).optional(),
      }),
      answer: z.strictObject({ integrations: z.array(IntegrationAnswer) }),
      async handle({ body: given, principal }) {
        assertSamePrincipal(principal, given);
        const filter = { connectorId: given.connector_type, status: given.status };
        const found = await listOwn(deps, principal, filter);
        return { integrations: found.map(integrationAnswer) };
      },
    }),
    route({
      method: "POST",
      path: "/integrations/status",
      summary: "One integration, with its health asked anew where that was a while ago",
      tags,
      access: read,
      body: body({ integration_id: IntegrationId }),
      answer: IntegrationAnswer,
      async handle({ body: given, principal, signal }) {
        assertSamePrincipal(principal, given);
        const found = await getIntegration(deps, principal, given.integration_id, { signal });
        return integrationAnswer(found);
      },
    }),
    route({
      method: "POST",
      path: "/integrations/sync",
      summary: "Lists the account's resources again, soon",
      tags,
      access: connect,
      body: body({ integration_id: IntegrationId }),
      answer: z.strictObject({}),
      async handle({ body: given, principal, signal }) {
        assertSamePrincipal(principal, given);
        await syncIntegration(deps, principal, given.integration_id, { signal });
        return {};
      },
    }),
  ];
}

/** A form is a form to the caller, whether the fields are a key or a role: `setup` says what comes first. */
function authorizeAnswer({ state, step, expiresAt }: Authorized): z.infer<typeof AuthorizeAnswer> {
  const common = { state, expires_at: expiresAt.toISOString() };
  if (step.kind === "redirect") {
    const { type, url, installedUrl } = step;
    return { ...common, type, url, ...(installedUrl && { installed_url: installedUrl }) };
  }
  return {
    ...common,
    type: "api_key",
    fields: step.fields.map((field) => ({
      name: field.name,
      label: field.label,
      secret: field.isSecret,
      help: field.help,
      optional: field.isOptional ?? false,
      ...(field.choices && { choices: [...field.choices] }),
    })),
    ...(step.setup.length > 0 && { setup: step.setup.map((fact) => ({ ...fact })) }),
    ...(step.url !== undefined && { url: step.url }),
  };
}

function integrationAnswer(integration: Integration): z.infer<typeof IntegrationAnswer> {
  const { health, profile } = integration;
  return {
    id: integration.id,
    organization_id: integration.organizationId,
    user_id: integration.userId ?? null,
    connector_type: integration.connectorId,
    label: integration.label,
    status: integration.status,
    credential_type: integration.credentialType ?? null,
    bot_id: profile.botId ?? null,
    connector_user_id: integration.connectorUserId ?? null,
    connector_organization_id: profile.accountId,
    metadata: { ...profile.metadata, account_name: profile.accountName },
    health: {
      status: health.status,
      checked_at: toText(health.checkedAt),
      detail: health.detail ?? null,
      missing_permissions: [...health.missingPermissions],
      last_success_at: toText(health.lastSuccessAt),
    },
    health_status: health.status,
    created_at: integration.createdAt.toISOString(),
    updated_at: integration.updatedAt.toISOString(),
    last_used_at: toText(integration.lastUsedAt),
    expires_at: toText(integration.credentialsExpireAt),
  };
}

function toText(date: Date | undefined): string | null {
  return date?.toISOString() ?? null;
}
