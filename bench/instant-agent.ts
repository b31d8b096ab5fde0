// An agent that answers at once, so that a measurement shows the way and not the work.
import { AgentService } from "#gen/infragpt/agent/v1/agent_pb.ts";
import { createGrpcServer, createIds, createLog, createScrubber, grpcService } from "#platform";

const server = createGrpcServer({
  log: createLog({ level: "error", format: "json", scrubber: createScrubber() }),
  host: "127.0.0.1",
  port: 0,
  ids: createIds(),
  isReflectionOn: false,
  authenticate: async () => ({
    kind: "local",
    organizationId: "",
    id: "bench",
    permissions: new Set(),
  }),
  services: [
    grpcService(AgentService, {
      async *converse(requests) {
        for await (const { message } of requests) {
          if (message.case !== "start") continue;
          const text = `You said: ${message.value.message?.text ?? ""}`;
          yield { message: { case: "final" as const, value: { text } } };
          return;
        }
      },
    }),
  ],
});
process.on("disconnect", () => process.exit());
const { port } = await server.start();
process.send?.({ kind: "ready", endpoint: `127.0.0.1:${port}` });
