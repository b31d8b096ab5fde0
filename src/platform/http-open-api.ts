import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { z } from "zod";
import type { Route } from "./route.ts";

/** How every error answer looks; `components.schemas.Error` of the document. */
const ErrorAnswer = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      request_id: z.string(),
      details: z.unknown().optional(),
    }),
  })
  .meta({ id: "Error" });

const BEARER = "bearer";

export function openApiInfo(): NonNullable<FastifyDynamicSwaggerOptions["openapi"]> {
  return {
    openapi: "3.1.0",
    info: {
      title: "InfraGPT",
      description: "Times are RFC 3339 in UTC. A trailing slash is optional on every path.",
      version: "v1",
    },
    components: {
      securitySchemes: {
        [BEARER]: {
          type: "http",
          scheme: "bearer",
          description: "A session token of a person, or a service token (`igpt_…`).",
        },
      },
    },
  };
}

/** What the document says about a route beyond its own schemas. */
export function openApiSchema(route: Route): object {
  const { access, summary, tags, params, query, body, answer, status = 200 } = route;
  const permission = typeof access === "object" ? access.permission : undefined;
  return {
    summary,
    ...(tags ? { tags } : {}),
    ...(permission ? { description: `Needs the permission \`${permission}\`.` } : {}),
    ...(access === "public" ? {} : { security: [{ [BEARER]: [] }] }),
    ...(params ? { params } : {}),
    ...(query ? { querystring: query } : {}),
    ...(body ? { body } : {}),
    response: { [status]: answer, default: ErrorAnswer },
  };
}
