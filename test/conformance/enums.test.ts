/**
 * A number that an enumeration does not have comes from a client with another contract. It must not pass for something that
 * it does not mean: every field of every request refuses it by name, also the fields that will be added.
 */

import type { DescMessage } from '@bufbuild/protobuf';
import { DmdOptions, DmdServiceService, WindowSpec } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, Study } from '@glocal/proto/glocal/v1/study';
import {
  ArtifactKind,
  type ReanalyzeWindowRequest,
  Report,
  StudyServiceService,
} from '@glocal/proto/glocal/v1/study_service';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fieldComments, serviceNamed } from '../support/descriptors.ts';
import type { Channel } from '../support/grpc.ts';
import { refusal } from '../support/refusal.ts';
import { bytesOf, externalStudy, SIGMA } from '../support/reporter.ts';
import { type Services, startServices } from '../support/services.ts';

let running: Services;
let studies: Channel;
let dmd: Channel;
beforeAll(async () => {
  running = await startServices();
  ({ studies, dmd } = running);
});
afterAll(() => running[Symbol.asyncDispose]());

/** A message of generated code. */
type Message = Record<string, unknown>;

/** The field of an enumeration in a request. */
interface EnumField {
  /** Of the generated code, with the number of an element of a list. */
  readonly path: readonly (string | number)[];
  /** As an error names it. */
  readonly name: string;
}

/** All fields of enumerations in a message, wherever they are; of a list the first element stands for all. */
function enumFields(message: DescMessage): EnumField[] {
  const comments = fieldComments(message);
  return message.fields.flatMap((field): EnumField[] => {
    if (comments.get(field.name) === 'Set by the server.') return [];
    const path = field.oneof
      ? [field.oneof.localName, 'value']
      : [field.localName, ...(field.fieldKind === 'list' ? [0] : [])];
    if (field.enum !== undefined) {
      return [{ path, name: field.fieldKind === 'list' ? `${field.name}[0]` : field.name }];
    }
    if (field.message === undefined || field.message.file.name.startsWith('google/')) return [];
    return enumFields(field.message).map((inner) => ({
      path: [...path, ...inner.path],
      name: `${field.name}.${inner.name}`,
    }));
  });
}

/** The same message with a number in place of a field's. */
function withNumber(message: unknown, [key, ...rest]: EnumField['path'], number: number): unknown {
  if (key === undefined) return number;
  const parent = (message ?? {}) as Message;
  const changed = withNumber(parent[key], rest, number);
  return Array.isArray(parent)
    ? Object.assign([...parent], { [key]: changed })
    : { ...parent, [key]: changed };
}

const study: Study = Study.fromPartial({
  space: { parameters: [{ name: 'lr', kind: { $case: 'float', value: { max: 1, initial: 0.1 } } }] },
  problem: { dataset: 'fashion-mnist-10k', model: 'logistic', optimizer: 'sgd' },
  training: { steps: 100 },
  method: { estimator: Estimator.GLOCAL, dmd: {}, outer: {} },
  sampling: {},
});
/** The same with a schedule in place of what is learned. */
const scheduled: Study = Study.fromPartial({
  ...study,
  space: {
    parameters: [
      {
        name: 'lr',
        kind: {
          $case: 'scheduled',
          value: { schedule: { $case: 'points', value: { points: [{ step: 0, value: 0.1 }] } } },
        },
      },
    ],
  },
  method: { estimator: Estimator.FIXED },
});
const studyFor = (field: string): Study => (field.includes('scheduled') ? scheduled : study);
const spec = WindowSpec.fromPartial({ rows: 4, components: 1, options: { delays: 2 } });

/** The name of an outer step that a client has reported the window of. */
async function storedWindow(): Promise<string> {
  const external = externalStudy();
  const { name } = await studies.unary(StudyServiceService.createStudy, { study: external, requestId: '' });
  const trial = `${name}/trials/0`;
  const hypergradients = bytesOf(Array.from({ length: SIGMA }, (_, row) => [1, 2, 3 + 0.5 ** row]));
  await studies.bidi(StudyServiceService.reportHypergradients, [
    { request: { $case: 'start', value: { trial } } },
    { request: { $case: 'report', value: Report.fromPartial({ outerStep: 1, hypergradients }) } },
  ]);
  return `${trial}/outerSteps/1`;
}

/** How each method that takes an enumeration is called, with a request that is right but for the field. */
const CALLS: Record<
  string,
  { request: Message | ((field: string) => Message); send: (request: unknown) => Promise<unknown> }
> = {
  'StudyService.CreateStudy': {
    request: (field) => ({ study: studyFor(field), requestId: '' }),
    send: (request) => studies.unary(StudyServiceService.createStudy, request as never),
  },
  'StudyService.ValidateStudy': {
    request: (field) => ({ study: studyFor(field) }),
    send: (request) => studies.unary(StudyServiceService.validateStudy, request as never),
  },
  'StudyService.UploadArtifact': {
    request: { request: { $case: 'header', value: { kind: ArtifactKind.MODEL, displayName: '' } } },
    send: (request) => studies.clientStream(StudyServiceService.uploadArtifact, [request as never]),
  },
  'StudyService.ListStudies': {
    request: { pageSize: 0, pageToken: '', states: [], labels: {} },
    send: (request) => studies.unary(StudyServiceService.listStudies, request as never),
  },
  'StudyService.ReanalyzeWindow': {
    request: { name: '', sigma: 0, dmd: DmdOptions.create() },
    send: async (request) =>
      studies.unary(StudyServiceService.reanalyzeWindow, {
        ...(request as ReanalyzeWindowRequest),
        name: await storedWindow(),
      }),
  },
  'DmdService.AnalyzeWindow': {
    request: { spec, hypergradients: new Uint8Array(4 * 8) },
    send: (request) => dmd.unary(DmdServiceService.analyzeWindow, request as never),
  },
  'DmdService.EstimateGlocal': {
    request: { windowId: 'a', payload: { $case: 'open', value: spec } },
    send: (request) => dmd.bidi(DmdServiceService.estimateGlocal, [request as never]),
  },
};

const cases = ['StudyService', 'DmdService'].flatMap((service) =>
  serviceNamed(service).methods.flatMap(({ name, input }) =>
    enumFields(input).map((field) => [`${service}.${name}`, field.name, field.path] as const),
  ),
);

it('there are fields of enumerations', () => {
  expect(cases.map(([method, field]) => `${method} ${field}`)).toEqual(
    expect.arrayContaining([
      'StudyService.CreateStudy study.space.parameters.float.scale',
      'StudyService.CreateStudy study.method.estimator',
      'StudyService.CreateStudy study.method.dmd.anchor',
      'DmdService.AnalyzeWindow spec.options.variant',
    ]),
  );
});

it.each(cases)('%s refuses an unknown number in %s', async (method, field, path) => {
  const call = CALLS[method];
  if (call === undefined) throw new Error(`${method} takes an enumeration; say above how it is called`);
  const request = typeof call.request === 'function' ? call.request(field) : call.request;
  const named = field.replace(/parameters\.(float|fixed|scheduled)/, 'lr');
  for (const number of [99, -1]) {
    const { code, violations } = await refusal(call.send(withNumber(request, path, number)));
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(violations).toEqual([
      expect.objectContaining({ field: named, description: expect.stringMatching(String(number)) }),
    ]);
  }
});
