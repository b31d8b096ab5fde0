import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";

import { SendReplyCommandSchema, type Status, StatusSchema } from "#gen/original/backend_pb.ts";

const DEADLINE_MS = 5_000;

/** Calls the original's SendReply, as an original agent does while it works on a message. */
export async function sendReply(
  backend: string,
  conversationId: string,
  message: string,
): Promise<void> {
  if (backend === "") throw new Error("the fake agent was given no backend address");
  const client = new Client(backend, credentials.createInsecure());
  try {
    const status = await call(
      client,
      Buffer.from(
        toBinary(
          SendReplyCommandSchema,
          create(SendReplyCommandSchema, { conversationId, message }),
        ),
      ),
    );
    if (!status.success) throw new Error(`SendReply was refused: ${status.error}`);
  } finally {
    client.close();
  }
}

function call(client: Client, command: Buffer): Promise<Status> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      "/backend.BackendService/SendReply",
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => fromBinary(StatusSchema, bytes),
      command,
      { deadline: Date.now() + DEADLINE_MS },
      (error: ServiceError | null, status: Status | undefined) => {
        if (status) resolve(status);
        else reject(error ?? new Error("SendReply gave no answer"));
      },
    );
  });
}
