import { EventEmitter } from "node:events";
import type { Server as GrpcJsServer } from "@grpc/grpc-js";
import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { ReflectionService } from "@grpc/reflection";
import type { GrpcJsServiceDefinition } from "nice-grpc";
import type { GrpcService } from "./grpc-service.ts";

type PackageDefinition = ConstructorParameters<typeof ReflectionService>[0];

interface ReflectionEndpoint {
  readonly definition: GrpcJsServiceDefinition;
  readonly implementation: { readonly ServerReflectionInfo: AnswerQuestions };
}

type AnswerQuestions = (questions: AsyncIterable<unknown>) => AsyncGenerator;
type HandleStream = (stream: EventEmitter) => void;

/**
 * `grpc.reflection.v1` and `v1alpha`, which older tools still ask for. The library only knows how to
 * add itself to a grpc-js server, which nice-grpc hides: we stand in for that server and serve what
 * it was given.
 */
export function createReflection(services: readonly GrpcService[]): readonly ReflectionEndpoint[] {
  const files = new Map<string, Buffer>();
  for (const { descriptor } of services) collectFiles(descriptor.file, files);
  // It reads nothing else of the package definition.
  const definitions: object = { files: { fileDescriptorProtos: [...files.values()] } };
  const endpoints: ReflectionEndpoint[] = [];
  const standIn: object = {
    addService(
      definition: GrpcJsServiceDefinition,
      handlers: { readonly ServerReflectionInfo: HandleStream },
    ) {
      const implementation = { ServerReflectionInfo: answerWith(handlers.ServerReflectionInfo) };
      endpoints.push({ definition, implementation });
    },
  };
  const names = services.map(({ descriptor }) => descriptor.typeName);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const reflection = new ReflectionService(definitions as PackageDefinition, { services: names });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  reflection.addToServer(standIn as GrpcJsServer);
  return endpoints;
}

/** Each question is answered before `emit` returns, by one call of `write`. */
function answerWith(handle: HandleStream): AnswerQuestions {
  return async function* answer(questions) {
    const answers: unknown[] = [];
    const stream = Object.assign(new EventEmitter(), {
      write: (answered: unknown) => answers.push(answered),
      end: () => undefined,
    });
    handle(stream);
    for await (const question of questions) {
      stream.emit("data", question);
      yield* answers.splice(0);
    }
  };
}

function collectFiles(file: DescFile, into: Map<string, Buffer>): void {
  if (into.has(file.proto.name)) return;
  into.set(file.proto.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
  for (const dependency of file.dependencies) collectFiles(dependency, into);
}
