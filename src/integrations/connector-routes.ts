import type { Connector } from "@infragpt/connector-kit";
import { z } from "zod";
import { can } from "#identity";
import { route, type Principal, type Route } from "#platform";

/**
 * Why nobody can connect an account here. `configuration_only`: one account comes from the
 * configuration, and there is no OAuth client for others; `no_client`: there is neither;
 * `not_permitted`: somebody else of the organization can.
 */
const Reason = z.enum(["configuration_only", "no_client", "not_permitted"]);

const ConnectorAnswer = z.strictObject({
  id: z.string(),
  name: z.string(),
  authorization: z.enum(["oauth2", "installation", "api_key", "role"]).nullable(),
  can_connect: z.boolean(),
  reason: Reason.optional(),
});

export function connectorRoutes(deps: {
  readonly connectors: ReadonlyMap<string, Connector>;
}): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/api/v1/connectors",
      summary: "What accounts can be connected to, and whether the caller can",
      tags: ["integrations"],
      access: { permission: "integration:read" },
      answer: z.strictObject({ connectors: z.array(ConnectorAnswer) }),
      handle: async ({ principal }) => ({
        connectors: [...deps.connectors.values()].map((connector) =>
          connectorAnswer(connector, principal),
        ),
      }),
    }),
  ];
}

function connectorAnswer(
  connector: Connector,
  principal: Principal,
): z.infer<typeof ConnectorAnswer> {
  const { id, name, authorization } = connector;
  const reason = findReason(connector, principal);
  return {
    id,
    name,
    authorization: authorization?.kind ?? null,
    can_connect: reason === undefined,
    ...(reason && { reason }),
  };
}

function findReason(
  { authorization, configured }: Connector,
  principal: Principal,
): z.infer<typeof Reason> | undefined {
  if (!authorization) return configured ? "configuration_only" : "no_client";
  return can(principal, "integration:connect") ? undefined : "not_permitted";
}
