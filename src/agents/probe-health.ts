import { AppError, createGrpcClient, type ErrorCode } from "#platform";
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from "#gen/grpc/health/v1/health_pb.ts";
import type { AttemptOptions } from "./agent.ts";
import { connectionOptions } from "./connection-options.ts";
import type { AgentConfig } from "./model.ts";

export interface HealthProbe {
  /** Undefined when the agent is there, otherwise what is wrong in a few words. */
  findProblem(options: AttemptOptions): Promise<string | undefined>;
  close(): void;
}

/**
 * Asks `grpc.health.v1`. An agent that does not serve it still proves by its refusal that it is
 * there, so agents need not serve health.
 */
export function createHealthProbe(config: AgentConfig): HealthProbe {
  const connection = createGrpcClient(Health, connectionOptions(config));
  return {
    async findProblem(options) {
      try {
        const { status } = await connection.client.check({ service: "" }, options);
        return status === Serving.NOT_SERVING ? "says that it is not serving" : undefined;
      } catch (error) {
        options.signal.throwIfAborted();
        return problemOf(error);
      }
    },
    close: () => connection.close(),
  };
}

const PROBLEM: Partial<Record<ErrorCode, string>> = {
  unavailable: "cannot be reached",
  timeout: "does not answer in time",
  unauthenticated: "refuses our token",
  forbidden: "refuses our token",
};

/** Any other status is an answer, so the agent is there. */
function problemOf(error: unknown): string | undefined {
  return error instanceof AppError ? PROBLEM[error.code] : undefined;
}
