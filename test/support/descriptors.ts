/** The contract as data: its messages, fields and enumerations, with their comments. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  createFileRegistry,
  type DescEnum,
  type DescFile,
  type DescMessage,
  type DescService,
  fromBinary,
} from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const set: FileDescriptorSet = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(fileURLToPath(import.meta.resolve('@glocal/proto/contract.binpb'))),
);
const registry = createFileRegistry(set);

/** Numbers of the fields of `google.protobuf.FileDescriptorProto` and of what it holds, which make the paths of locations. */
const MESSAGE = 4;
const ENUM = 5;
const FIELD = 2;
const VALUE = 2;

/** A message of `glocal.v1`. */
export function messageNamed(name: string): DescMessage {
  const found = registry.getMessage(`glocal.v1.${name}`);
  if (found === undefined) throw new Error(`the contract has no message ${name}`);
  return found;
}

/** A service of `glocal.v1`. */
export function serviceNamed(name: string): DescService {
  const found = registry.getService(`glocal.v1.${name}`);
  if (found === undefined) throw new Error(`the contract has no service ${name}`);
  return found;
}

/** Comments of the fields of a message by their names, on one line each. */
export function fieldComments(message: DescMessage): ReadonlyMap<string, string> {
  const at = message.file.proto.messageType.indexOf(message.proto);
  return new Map(
    message.proto.field.map(({ name }, i) => [name, commentAt(message.file, [MESSAGE, at, FIELD, i])]),
  );
}

/** The comment of an enumeration's value 0, on one line. */
export function commentOfZero(enumeration: DescEnum): string {
  const at = enumeration.file.proto.enumType.indexOf(enumeration.proto);
  return commentAt(enumeration.file, [
    ENUM,
    at,
    VALUE,
    enumeration.values.findIndex(({ number }) => number === 0),
  ]);
}

function commentAt({ proto }: DescFile, path: readonly number[]): string {
  const location = proto.sourceCodeInfo?.location.find(
    (candidate) =>
      candidate.path.length === path.length && candidate.path.every((part, i) => part === path[i]),
  );
  return (location?.leadingComments ?? '').trim().replace(/\s+/g, ' ');
}
