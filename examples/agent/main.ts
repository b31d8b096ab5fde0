import { Server, ServerCredentials } from "@grpc/grpc-js";
import { streamDefinition, streamService } from "./stream-service.ts";
import { unaryDefinition, unaryService } from "./unary-service.ts";

const port = process.argv[2] ?? "50051";
const server = new Server();
// An agent needs one of the two; this one shows both.
server.addService(streamDefinition, streamService);
server.addService(unaryDefinition, unaryService);

server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
  if (error) throw error;
  process.stdout.write(`The agent listens at 127.0.0.1:${bound}\n`);
});
for (const name of ["SIGTERM", "SIGINT"]) {
  process.on(name, () => server.tryShutdown(() => undefined));
}
