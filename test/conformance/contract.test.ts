/** A client that has only the .proto files can do, and sees, all that one with generated code can and does. */

import { DmdServiceService } from '@glocal/proto/glocal/v1/dmd';
import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import type { ServiceDefinition as GeneratedService, MethodDefinition, ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contract, methodIn, serviceIn } from '../support/dynamic.ts';
import type { Channel } from '../support/grpc.ts';
import { rejection } from '../support/rejection.ts';
import { type Services, startServices } from '../support/services.ts';
import { CATS } from '../support/upload.ts';

/** A message with the names of the .proto files. */
type Message = Readonly<Record<string, unknown>>;

const study = {
  display_name: 'from the .proto files alone',
  space: {
    parameters: [
      { name: 'lr', float: { min: 1e-3, max: 1, initial: 0.02, scale: 'SCALE_LOG' } },
      { name: 'momentum', float: { min: 0, max: 0.95, initial: 0.1 } },
      { name: 'weightDecay', fixed: { value: 5e-4 } },
    ],
  },
  problem: {
    dataset: 'fashion-mnist-10k',
    model: 'mlp',
    optimizer: 'sgd',
    batch_size: 32,
    validation_examples: 100,
  },
  training: { steps: 20, seeds: [1, 2] },
  method: {
    estimator: 'ESTIMATOR_GLOCAL',
    window: 10,
    sigma: 8,
    dmd: { delays: 2, tolerance: 0.2, scaling: 'SCALING_GLOBAL', include_contributions: true },
    outer: { rate: 0.2 },
  },
};
const request_id = 'conformance';

/** Nothing of it trains by itself. */
const external = {
  mode: 'RUN_MODE_EXTERNAL',
  space: { parameters: [{ name: 'lr', float: { min: 0, max: 1, initial: 0.5 } }] },
  training: { steps: 100 },
  method: { estimator: 'ESTIMATOR_MEAN' },
};

let running: Services;
let studies: Channel;
let dmd: Channel;
/** Names of the study, its first trial, and the first outer step of that. */
const name = { study: '', trial: '', outerStep: '', artifact: '', external: '', driven: '', doomed: '' };

beforeAll(async () => {
  running = await startServices();
  ({ studies, dmd } = running);
  const api = serviceIn(contract, 'glocal.v1.StudyService');
  const created = (await studies.unary(methodIn(api, 'CreateStudy'), { study, request_id })) as {
    name: string;
  };
  const uploaded = await studies.clientStream<object, { name: string }>(
    methodIn(api, 'UploadArtifact') as never,
    CATS,
  );
  Object.assign(name, {
    study: created.name,
    trial: `${created.name}/trials/0`,
    outerStep: `${created.name}/trials/0/outerSteps/1`,
    artifact: uploaded.name,
  });
  await studies.serverStream(methodIn(api, 'WatchStudy'), { name: created.name });
  for (const which of ['external', 'driven', 'doomed'] as const) {
    const made = await studies.unary(methodIn(api, 'CreateStudy'), {
      study: which === 'driven' ? { ...study, mode: 'RUN_MODE_DRIVEN' } : external,
    });
    name[which] = (made as { name: string }).name;
  }
  await studies.unary(methodIn(api, 'CancelStudy'), { name: name.driven });
});
afterAll(() => running[Symbol.asyncDispose]());

const doubles = (...values: number[]): Buffer => Buffer.from(Float64Array.from(values).buffer);
const window = { rows: 6, components: 1, options: { delays: 2, include_contributions: true } };
const decaying = Array.from({ length: window.rows }, (_, t) => 1 + 0.5 ** t);

/** Requests to each method, and what the answers must have. The study has ended. */
const services: {
  service: string;
  generated: GeneratedService;
  channel: () => Channel;
  calls: Record<string, () => { requests: Message[]; answer: Message }>;
}[] = [
  {
    service: 'glocal.v1.StudyService',
    generated: StudyServiceService,
    channel: () => studies,
    calls: {
      CreateStudy: () => ({
        requests: [{ study, request_id }],
        answer: { name: name.study, state: 'STUDY_STATE_COMPLETED' },
      }),
      ValidateStudy: () => ({
        requests: [{ study }],
        answer: { name: '', training: study.training, method: { outer: { rate: 0.2, beta1: 0.7 } } },
      }),
      GetStudy: () => ({
        requests: [{ name: name.study }],
        answer: { display_name: study.display_name, state: 'STUDY_STATE_COMPLETED' },
      }),
      ListStudies: () => ({
        requests: [{ states: ['STUDY_STATE_COMPLETED'] }],
        answer: { studies: [{ name: name.study }], next_page_token: '' },
      }),
      PauseStudy: () => ({
        requests: [{ name: name.external }],
        answer: { name: name.external, state: 'STUDY_STATE_PAUSED' },
      }),
      ResumeStudy: () => ({
        requests: [{ name: name.external }],
        answer: { name: name.external, state: 'STUDY_STATE_ACTIVE' },
      }),
      DeleteStudy: () => ({ requests: [{ name: name.doomed, force: true }], answer: {} }),
      ReportHypergradients: () => ({
        requests: [{ start: { trial: `${name.external}/trials/0` } }],
        answer: { response: 'position', position: { outer_step: 1, rows: 0, values: [{ value: 0.5 }] } },
      }),
      DriveTrial: () => ({
        requests: [{ start: { trial: `${name.driven}/trials/0` } }],
        answer: { response: 'attached', attached: { state: 'TRIAL_STATE_CANCELLED' } },
      }),
      ReanalyzeWindow: () => ({
        requests: [{ name: name.outerStep }],
        answer: { report: { component_trusted: { length: 2 } }, hypergradient: { length: 2 } },
      }),
      CancelStudy: () => ({
        requests: [{ name: name.study }],
        answer: { state: 'STUDY_STATE_COMPLETED', state_reason: '2 of 2 trials succeeded' },
      }),
      GetTrial: () => ({
        requests: [{ name: name.trial }],
        answer: { seed: 1, state: 'TRIAL_STATE_SUCCEEDED', steps_done: 20, test: { examples: 2_000 } },
      }),
      ListTrials: () => ({
        requests: [{ parent: name.study, page_size: 1 }],
        answer: { trials: [{ name: name.trial }], next_page_token: expect.stringMatching(/./) },
      }),
      GetOuterStep: () => ({
        requests: [{ name: name.outerStep }],
        answer: {
          index: 1,
          window: { components: ['lr', 'momentum'], rows: 8, hypergradients: { length: 8 * 2 * 8 } },
          report: { component_trusted: { length: 2 } },
        },
      }),
      ReadOuterStep: () => ({
        requests: [{ name: name.outerStep }],
        answer: { part: 'outer_step', outer_step: { name: name.outerStep, index: 1 } },
      }),
      ListOuterSteps: () => ({
        requests: [{ parent: name.trial, page_size: 1, include_windows: true }],
        answer: {
          outer_steps: [{ name: name.outerStep, window: { hypergradients: { length: 8 * 2 * 8 } } }],
          next_page_token: expect.stringMatching(/./),
        },
      }),
      WatchStudy: () => ({
        requests: [{ name: name.study, cursor: '1' }],
        answer: { cursor: '2', event: 'trial', trial: { state: 'TRIAL_STATE_RUNNING' } },
      }),
      ExportSchedule: () => ({
        requests: [{ name: name.trial }],
        answer: { parameters: ['lr', 'momentum', 'weightDecay'], points: { length: 3 } },
      }),
      UploadArtifact: () => ({
        requests: CATS,
        answer: { kind: 'ARTIFACT_KIND_DATASET', display_name: 'cats' },
      }),
      GetArtifact: () => ({
        requests: [{ name: name.artifact }],
        answer: { files: [{ path: 'dataset.json' }, {}] },
      }),
      ListArtifacts: () => ({
        requests: [{ page_size: 1 }],
        answer: { artifacts: [{ name: name.artifact }], next_page_token: '' },
      }),
      // The second time changes nothing.
      DeleteArtifact: () => ({ requests: [{ name: name.artifact }], answer: {} }),
      ListProblems: () => ({
        requests: [{}],
        answer: { datasets: expect.arrayContaining([expect.objectContaining({ id: 'fashion-mnist-10k' })]) },
      }),
      GetServerInfo: () => ({ requests: [{}], answer: { limits: { max_trials: 1_000 } } }),
    },
  },
  {
    service: 'glocal.v1.DmdService',
    generated: DmdServiceService,
    channel: () => dmd,
    calls: {
      AnalyzeWindow: () => ({
        requests: [{ spec: window, hypergradients: doubles(...decaying) }],
        answer: { report: { verdict: expect.stringMatching(/^VERDICT_/), spectrum: { rank: 2 } } },
      }),
      EstimateGlocal: () => ({
        requests: [
          { window_id: 'first', open: window },
          { window_id: 'second', open: { ...window, prior_norms: [1, 2] } },
          ...decaying.flatMap((value, row) => [
            { window_id: 'second', hypergradient: { row, values: doubles(-value) } },
            { window_id: 'first', hypergradient: { row, values: doubles(value) } },
          ]),
        ],
        answer: { window_id: 'first', report: { spectrum: { rank: 2 } } },
      }),
      GetDmdInfo: () => ({ requests: [{}], answer: { limits: { max_rows: 512 } } }),
    },
  },
];

describe.each(services)('$service', ({ service, generated, channel, calls }) => {
  const dynamic = serviceIn(contract, service);

  it('has no method that is not called here', () => {
    expect(Object.keys(calls).sort()).toEqual(Object.keys(dynamic).sort());
  });

  it('has the same methods in generated code', () => {
    const paths = Object.values(generated).map(({ path }) => path);
    expect(paths.sort()).toEqual(
      Object.values(dynamic)
        .map(({ path }) => path)
        .sort(),
    );
  });

  it.each(Object.keys(calls))('%s answers both clients alike, field by field', async (method) => {
    const definition = methodIn(dynamic, method);
    const twin = Object.values(generated).find(({ path }) => path === definition.path);
    const call = calls[method]?.();
    if (twin === undefined || call === undefined) throw new Error(`${method} is missing`);

    const seen = byWindow(await answers(channel(), definition, call.requests));
    const requests = call.requests.map((request) =>
      twin.requestDeserialize(definition.requestSerialize(request)),
    );
    const seenByTwin = byWindow(await answers<unknown, unknown>(channel(), twin, requests));
    // The dynamic client's objects, in the form in which the generated client has them.
    const translated = seen.map((answer) => twin.responseDeserialize(definition.responseSerialize(answer)));
    expect(withoutTimes(translated)).toEqual(withoutTimes(seenByTwin));
    expect(seen[0]).toMatchObject(call.answer);
  });
});

it('both clients are told the same of a request that is wrong', async () => {
  const definition = methodIn(serviceIn(contract, 'glocal.v1.StudyService'), 'CreateStudy');
  const wrong = { study: { ...study, training: { steps: -5 } } };
  const error = await rejection<ServiceError>(studies.unary(definition, wrong));
  const twin = StudyServiceService.createStudy;
  const request = twin.requestDeserialize(definition.requestSerialize(wrong));
  const seenByTwin = await rejection<ServiceError>(studies.unary(twin, request));
  expect(error.details).toMatch(/study\.training\.steps: -5 is not a positive/);
  expect([error.code, error.details]).toEqual([seenByTwin.code, seenByTwin.details]);
});

/** Calls a method in its own way. */
function answers<Request, Response>(
  channel: Channel,
  method: MethodDefinition<Request, Response>,
  requests: readonly Request[],
): Promise<Response[]> {
  if (method.requestStream && method.responseStream) return channel.bidi(method, requests);
  if (method.requestStream) return channel.clientStream(method, requests).then((response) => [response]);
  const [request] = requests;
  if (request === undefined) throw new Error(`${method.path} needs a request`);
  return method.responseStream
    ? channel.serverStream(method, request)
    : channel.unary(method, request).then((response) => [response]);
}

/** The windows of a stream are answered as their analyses end, the others in one order. */
function byWindow<Response>(responses: readonly Response[]): Response[] {
  const window = (response: Response): string => {
    const { window_id, windowId } = response as { window_id?: string; windowId?: string };
    return window_id ?? windowId ?? '';
  };
  return responses.toSorted((a, b) => window(a).localeCompare(window(b)));
}

/** How long DMD computed differs from call to call. */
function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array || value instanceof Date) {
    return value;
  }
  const fields = Object.entries(value).filter(([field]) => field !== 'computeTime');
  return Object.fromEntries(fields.map(([field, inner]) => [field, withoutTimes(inner)]));
}
