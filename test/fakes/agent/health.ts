import type {
  sendUnaryData,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";

const STATUS = { serving: 1, notServing: 2 } as const;

/** Bytes of HealthCheckResponse: field 1, a varint. */
function encodeStatus(status: number): Buffer {
  return Buffer.from([0x08, status]);
}

function method(path: string, responseStream: boolean): ServiceDefinition[string] {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: encodeStatus,
    responseDeserialize: (bytes: Buffer) => bytes[1] ?? 0,
  };
}

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md (2026-11). */
export const HEALTH_SERVICE: ServiceDefinition = {
  check: method("/grpc.health.v1.Health/Check", false),
  watch: method("/grpc.health.v1.Health/Watch", true),
};

/** One state for every service name. */
export class Health {
  #status: number = STATUS.serving;
  readonly #watchers = new Set<ServerWritableStream<Buffer, number>>();

  set(isServing: boolean): void {
    this.#status = isServing ? STATUS.serving : STATUS.notServing;
    for (const watcher of this.#watchers) watcher.write(this.#status);
  }

  service(): UntypedServiceImplementation {
    return {
      check: (_call: ServerUnaryCall<Buffer, number>, respond: sendUnaryData<number>) =>
        respond(null, this.#status),
      watch: (call: ServerWritableStream<Buffer, number>) => {
        this.#watchers.add(call);
        call.on("cancelled", () => this.#watchers.delete(call));
        call.write(this.#status);
      },
    };
  }
}
