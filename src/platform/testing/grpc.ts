import assert from "node:assert/strict";
import { after } from "node:test";
import { Secret } from "@infragpt/connector-kit";
import { InfraGPTService } from "#gen/infragpt/v1/infragpt_pb.ts";
import {
  AppError,
  createGrpcClient,
  createGrpcServer,
  createIds,
  createLog,
  createScrubber,
  type GrpcClient,
  type GrpcImplementation,
  type GrpcServer,
  type GrpcServerOptions,
  grpcService,
  type Principal,
} from "../index.ts";

const robot: Principal = {
  kind: "service",
  organizationId: "org-1",
  id: "robot",
  permissions: new Set(),
};
export const token = new Secret("igpt_robot");
export const signal = new AbortController().signal;

export const toClose: { close(): void }[] = [];
const servers: GrpcServer[] = [];
after(async () => {
  for (const one of toClose) one.close();
  for (const server of servers) await server.stop(0);
});

type InfraGptMethods = (typeof InfraGPTService)["method"];

export async function unexpected(): Promise<never> {
  throw new AppError("internal", "This test does not call it.");
}

// oxlint-disable-next-line require-yield
export async function* unexpectedStream(): AsyncGenerator<never> {
  throw new AppError("internal", "This test does not call it.");
}

function infraGpt(
  methods: Partial<GrpcImplementation<InfraGptMethods>>,
): GrpcImplementation<InfraGptMethods> {
  return {
    sendMessage: unexpected,
    streamMessage: unexpectedStream,
    getConversation: unexpected,
    sendReply: unexpected,
    ...methods,
  };
}

export async function serve(
  methods: Partial<GrpcImplementation<InfraGptMethods>>,
  options: Partial<GrpcServerOptions> = {},
): Promise<{ endpoint: string; server: GrpcServer; lines: string[] }> {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    format: "json",
    scrubber: createScrubber(),
    destination: { write: (line) => lines.push(line) },
  });
  const server = createGrpcServer({
    log,
    host: "127.0.0.1",
    port: 0,
    ids: createIds(),
    services: [grpcService(InfraGPTService, infraGpt(methods))],
    authenticate: async ({ authorization }) =>
      authorization === `Bearer ${token.reveal()}` ? robot : undefined,
    isReflectionOn: false,
    ...options,
  });
  servers.push(server);
  const { port } = await server.start();
  return { endpoint: `127.0.0.1:${port}`, server, lines };
}

export function dial(
  endpoint: string,
  withToken: Secret | "none" = token,
): GrpcClient<InfraGptMethods> {
  const connection = createGrpcClient(InfraGPTService, {
    endpoint,
    ...(withToken === "none" ? {} : { token: withToken }),
  });
  toClose.push(connection);
  return connection.client;
}

export async function refusal(call: Promise<unknown>): Promise<AppError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    return error;
  }
  return assert.fail("the call succeeded");
}

export async function collect<Item>(
  items: AsyncIterable<Item>,
  onItem?: (item: Item) => void,
): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) {
    collected.push(item);
    onItem?.(item);
  }
  return collected;
}
