/** Services as a client sees them that has no generated code: from .proto files, or from a server's reflection. */

import { fileURLToPath } from 'node:url';
import type { ServiceError } from '@grpc/grpc-js';
import {
  loadFileDescriptorSetFromObject,
  loadSync,
  type MessageTypeDefinition,
  type Options,
  type PackageDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import type { Channel } from './grpc.ts';

/** Names as in the .proto files, enums by name. */
const OPTIONS: Options = { keepCase: true, enums: String, longs: Number, defaults: true, oneofs: true };

const PROTO = fileURLToPath(new URL('../../proto', import.meta.url));
const REFLECTION = fileURLToPath(new URL('../proto/', import.meta.resolve('@grpc/reflection')));

/** All that the contract's .proto files define. */
export const contract: PackageDefinition = loadSync(
  ['glocal/v1/study_service.proto', 'glocal/v1/dmd.proto'],
  {
    ...OPTIONS,
    includeDirs: [PROTO],
  },
);

/** The methods of a service, by name. */
export function serviceIn(definitions: PackageDefinition, name: string): ServiceDefinition {
  const found = definitions[name];
  if (found === undefined || 'format' in found) throw new Error(`${name} is no service of the definitions`);
  return found as ServiceDefinition;
}

/** A method that must be there. */
export function methodIn(service: ServiceDefinition, name: string): ServiceDefinition[string] {
  const method = service[name];
  if (method === undefined) throw new Error(`there is no method ${name}`);
  return method;
}

export const health = serviceIn(loadSync(healthProtoPath, OPTIONS), 'grpc.health.v1.Health');

/** The message that describes a .proto file, as `loadFileDescriptorSetFromObject` wants it: what is not set is not there. */
function fileDescriptorType(): MessageTypeDefinition<object, object> {
  const definitions = loadSync('google/protobuf/descriptor.proto', { arrays: true });
  return definitions['google.protobuf.FileDescriptorProto'] as MessageTypeDefinition<object, object>;
}

type ReflectionRequest =
  | { readonly list_services: string }
  | { readonly file_containing_symbol: string }
  | { readonly file_by_filename: string };

/** An answer of the reflection service, as far as it is used here. */
interface ReflectionResponse {
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly error_response?: { readonly error_code: number; readonly error_message: string };
}

interface FileDescriptor {
  readonly name: string;
  readonly dependency: readonly string[];
}

/** What a server has to say to a request is no; a server says it in the answer or ends the stream with it. */
export class ReflectionError extends Error {
  override readonly name = 'ReflectionError';
  readonly code: number;

  constructor(message: string, code: number, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** A client of a server's reflection, in one of its two versions. */
export class Reflection {
  readonly #channel: Channel;
  readonly #method: ServiceDefinition[string];

  constructor(channel: Channel, version: 'v1' | 'v1alpha') {
    const definitions = loadSync(`grpc/reflection/${version}/reflection.proto`, {
      ...OPTIONS,
      includeDirs: [REFLECTION],
    });
    this.#channel = channel;
    this.#method = methodIn(
      serviceIn(definitions, `grpc.reflection.${version}.ServerReflection`),
      'ServerReflectionInfo',
    );
  }

  /** Names of all services. */
  async services(): Promise<string[]> {
    const { list_services_response } = await this.#ask({ list_services: '' });
    return (list_services_response?.service ?? []).map(({ name }) => name).sort();
  }

  /**
   * All that is defined in the file of a symbol, and in those that it imports.
   * @throws ReflectionError
   */
  async definitionsOf(symbol: string): Promise<PackageDefinition> {
    const files = new Map<string, FileDescriptor>();
    const add = async (request: ReflectionRequest): Promise<void> => {
      for (const file of await this.#files(request)) {
        files.set(file.name, file);
        for (const name of file.dependency) if (!files.has(name)) await add({ file_by_filename: name });
      }
    };
    await add({ file_containing_symbol: symbol });
    return loadFileDescriptorSetFromObject({ file: [...files.values()] }, OPTIONS);
  }

  async #files(request: ReflectionRequest): Promise<FileDescriptor[]> {
    const { file_descriptor_response } = await this.#ask(request);
    const { deserialize } = fileDescriptorType();
    const files = file_descriptor_response?.file_descriptor_proto ?? [];
    return files.map((file) => deserialize(file) as FileDescriptor);
  }

  async #ask(request: ReflectionRequest): Promise<ReflectionResponse> {
    const [response] = (await this.#channel.bidi(this.#method, [request]).catch((error: ServiceError) => {
      throw new ReflectionError(error.details, error.code, error);
    })) as ReflectionResponse[];
    if (response?.error_response != null) {
      const { error_message, error_code } = response.error_response;
      throw new ReflectionError(error_message, error_code);
    }
    return response ?? {};
  }
}
