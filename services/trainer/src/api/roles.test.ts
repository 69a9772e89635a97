import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createFileRegistry, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { Role, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { describe, expect, it } from 'vitest';
import { changes, roleFor } from './roles.ts';

const set = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(fileURLToPath(import.meta.resolve('@glocal/proto/contract.binpb'))),
);
const service = createFileRegistry(set).getService('glocal.v1.StudyService');
const methods = service?.methods ?? [];

describe('a method', () => {
  it.each(methods.map((method) => [method.name, method] as const))(
    'of the contract has its role: %s',
    (name, method) => {
      const path = `/glocal.v1.StudyService/${name}`;
      const reads = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
      expect(roleFor(path)).toBe(reads ? Role.READ : Role.WRITE);
      expect(changes(path)).toBe(!reads);
    },
  );

  it('is in the table for each that is served', () => {
    expect(Object.keys(StudyServiceService)).toHaveLength(methods.length);
  });

  it.each([
    ['/grpc.health.v1.Health/Check', undefined],
    ['/grpc.health.v1.Health/Watch', Role.READ],
    ['/grpc.health.v1.Health/List', Role.READ],
    ['/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', Role.READ],
    ['/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', Role.READ],
    ['/some.Other/Method', Role.READ],
  ])('of another service needs a caller who is known, but for the check of the health: %s', (path, role) => {
    expect(roleFor(path)).toBe(role);
    expect(changes(path)).toBe(false);
  });
});

/** Fields that name a resource, as the guard finds them: of the message itself, or of the first message of a stream. */
const GUARDED = ['name', 'parent', 'start.trial'];
/** A part of a study that `name` names; the method refuses those of others. */
const BELONGS = ['ResumeStudyRequest trials.trial'];

describe('a request', () => {
  it('names resources where the guard looks for them', () => {
    const named = methods.flatMap(({ input }) => namesIn(input).map((path) => `${input.name} ${path}`));
    expect(named.length).toBeGreaterThan(10);
    const elsewhere = named.filter((field) => !GUARDED.includes(field.split(' ')[1] as string));
    expect(elsewhere).toEqual(BELONGS);
  });
});

/** Paths of the fields of a request that are names of resources, as their comments say; what a study is made of has none. */
function namesIn(message: DescMessage, path: readonly string[] = []): string[] {
  return message.fields.flatMap((field) => {
    const at = [...path, field.name];
    if (field.message !== undefined && !['Study', 'Artifact'].includes(field.message.name)) {
      return at.length > 3 ? [] : namesIn(field.message, at);
    }
    return isName(field.parent, message.fields.indexOf(field)) ? [at.join('.')] : [];
  });
}

const MESSAGE = 4;
const FIELD = 2;

function isName(message: DescMessage, index: number): boolean {
  const { proto } = message.file;
  const path = [MESSAGE, proto.messageType.indexOf(message.proto), FIELD, index].join();
  const comment = proto.sourceCodeInfo?.location.find((at) => at.path.join() === path)?.leadingComments ?? '';
  return /^\s*`(studies|artifacts)\//.test(comment);
}
