import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { MethodDefinition, ServiceDefinition } from "nice-grpc";

type AnyInit = MessageInitShape<DescMessage>;

/** A protobuf-es service in the words of nice-grpc: how each method is named, packed and unpacked. */
export function grpcDefinition(descriptor: DescService): ServiceDefinition {
  return Object.fromEntries(
    descriptor.methods.map((method) => [method.localName, methodDefinition(method)]),
  );
}

function methodDefinition(
  method: DescMethod,
): MethodDefinition<AnyInit, Message, AnyInit, Message> {
  const { input, output, methodKind } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: (value) => toBinary(input, create(input, value)),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: (value) => toBinary(output, create(output, value)),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
    options: {},
  };
}
