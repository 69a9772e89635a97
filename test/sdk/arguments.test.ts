/** What plain JavaScript can get wrong: each call says so by a GlocalError that names the field, and sends nothing. */

import { Artifact, ReanalyzeWindowResponse } from '@glocal/proto/glocal/v1/study_service';
import { fixed, float, GlocalClient, GlocalError, type Study, space } from '@glocal/sdk';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { event, outerStep, STUDY, study, trial } from './support/messages.ts';
import { type ScriptedServer, startScriptedServer } from './support/scripted-server.ts';

const spec = {
  space: space({ lr: float({ min: 1e-4, max: 1, init: 0.01 }), weightDecay: fixed(5e-4) }),
  problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd' },
  training: { steps: 100 },
  method: { estimator: 'glocal' },
} as const;

let server: ScriptedServer;
let client: GlocalClient;
let found: Study;
let asked: string[];

beforeAll(async () => {
  const answer = <Answer>(method: string, value: Answer) => [
    method,
    (_call: unknown, callback: (error: null, value: Answer) => void) => {
      asked.push(method);
      callback(null, value);
    },
  ];
  server = await startScriptedServer({
    ...Object.fromEntries([
      answer('createStudy', study()),
      answer('validateStudy', study()),
      answer('getStudy', study()),
      answer('cancelStudy', study()),
      answer('pauseStudy', study()),
      answer('resumeStudy', study()),
      answer('deleteStudy', {}),
      answer('reanalyzeWindow', ReanalyzeWindowResponse.create()),
      answer('getArtifact', Artifact.create()),
      answer('deleteArtifact', {}),
      answer('listArtifacts', { artifacts: [], nextPageToken: '' }),
      answer('listStudies', { studies: [study()], nextPageToken: '' }),
      answer('getTrial', trial()),
      answer('listTrials', { trials: [trial()], nextPageToken: '' }),
      answer('listOuterSteps', { outerSteps: [outerStep(1)], nextPageToken: '' }),
      answer('exportSchedule', { parameters: ['lr'], points: [], nextPageToken: '' }),
      answer('listProblems', {
        datasets: [],
        models: [],
        optimizers: [],
        lossHyperparameters: [],
        modules: [],
        nextPageToken: '',
      }),
      answer('getServerInfo', { version: '1', backend: '', dmdAddress: '', limits: undefined }),
    ]),
    readOuterStep: (call) => {
      asked.push('readOuterStep');
      call.write({ part: { $case: 'outerStep', value: outerStep(1) } });
      call.end();
    },
    driveTrial: (call) => {
      asked.push('driveTrial');
      call.write({ response: { $case: 'ended', value: trial() } });
      call.end();
    },
    reportHypergradients: (call) => {
      asked.push('reportHypergradients');
      call.write({ response: { $case: 'ended', value: trial() } });
      call.end();
    },
    uploadArtifact: (call, callback) => {
      asked.push('uploadArtifact');
      call.resume();
      callback(null, Artifact.create());
    },
    watchStudy: (call) => {
      asked.push('watchStudy');
      call.write(event(1, { $case: 'study', value: study() }));
      call.end();
    },
  });
  client = new GlocalClient({ address: server.address, timeout: 5_000 });
  asked = [];
  found = await client.studies.get(STUDY);
});
beforeEach(() => {
  asked = [];
});
afterAll(() => {
  client.close();
  server.stop();
});

const FILE = { path: 'model.json', content: Buffer.from('{}') };

/** Every method with its last argument, and with what a caller may write there. */
type Call = (argument: never) => Promise<unknown>;
const first = (items: AsyncIterable<unknown>) => items[Symbol.asyncIterator]().next();
const calls: Record<string, Call> = {
  'new GlocalClient': async (options) => new GlocalClient(options).close(),
  connect: async (options) => (await GlocalClient.connect(options)).close(),
  problems: (options) => client.problems(options),
  serverInfo: (options) => client.serverInfo(options),
  create: (options) => client.studies.create(spec, options),
  validate: (options) => client.studies.validate(spec, options),
  get: (options) => client.studies.get(STUDY, options),
  'get by name': (name) => client.studies.get(name),
  list: (options) => first(client.studies.list(options)),
  'trials of all': (options) => first(client.studies.trials(options)),
  refresh: (options) => found.refresh(options),
  cancel: (options) => found.cancel(options),
  pause: (options) => found.pause(options),
  resume: (options) => found.resume(options),
  delete: (options) => found.delete(options),
  watch: (options) => first(found.watch(options)),
  result: (options) => found.result(options),
  trials: (options) => first(found.trials(options)),
  trial: (options) => found.trial(options),
  outerSteps: (options) => first(found.outerSteps(options)),
  outerStep: (options) => found.outerStep(1, options),
  'outerStep by index': (index) => found.outerStep(index),
  schedule: (options) => found.schedule(options),
  reanalyze: (options) => found.reanalyze(1, options),
  'reanalyze by index': (index) => found.reanalyze(index),
  compare: (others) => found.compare(others),
  'compare by options': (options) => found.compare(found, options),
  verdicts: (options) => found.verdicts(options),
  drive: (options) => first(found.drive(options)),
  report: (options) => found.report(options),
  upload: (options) => client.artifacts.upload([FILE], options),
  'upload by source': (source) => client.artifacts.upload(source),
  artifact: (options) => client.artifacts.get('artifacts/1', options),
  'artifact by name': (name) => client.artifacts.get(name),
  artifacts: (options) => first(client.artifacts.list(options)),
  'delete artifact': (options) => client.artifacts.delete('artifacts/1', options),
};

async function refused(call: string, argument: unknown): Promise<Record<string, string>> {
  const error: unknown = await calls[call]?.(argument as never).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(GlocalError);
  const { code, reason, fieldViolations } = error as GlocalError;
  expect({ code, reason }).toEqual({ code: 'INVALID_ARGUMENT', reason: 'NOT_ENCODABLE' });
  expect(asked).toEqual([]);
  return Object.fromEntries(fieldViolations.map(({ field, description }) => [field, description]));
}

describe('an option that cannot be', () => {
  it.each([
    ['list', { pageSize: 0.5 }, 'pageSize', '0.5 is not a whole number from 0 to 2147483647'],
    ['list', { pageSize: 10n }, 'pageSize', 'a bigint is not a whole number from 0 to 2147483647'],
    ['list', { pagesize: 10 }, 'pagesize', 'is unknown; did you mean pageSize?'],
    [
      'list',
      { states: ['ACTIVE', 'active'] },
      'states[1]',
      '"active" is unknown; one of ACTIVE, COMPLETED, CANCELLED, FAILED, PAUSED',
    ],
    ['list', { labels: { team: 1 } }, 'labels.team', '1 is not a string'],
    ['resume', { trials: [{ trial: 0, outerStep: 0 }] }, 'trials[0].outerStep', /^0 is not a whole number/],
    ['resume', { trials: [0] }, 'trials[0]', '0 is not an object'],
    ['delete', { force: 'yes' }, 'force', '"yes" is not true or false'],
    ['watch', { maxLag: -1 }, 'maxLag', /^-1 is not a whole number/],
    ['reanalyze', { dmd: { delay: 3 } }, 'dmd.delay', 'is unknown; did you mean delays?'],
    ['reanalyze', { sigma: 0 }, 'sigma', /^0 is not a whole number from 1/],
    ['drive', { includeWindows: 1 }, 'includeWindows', '1 is not true or false'],
    ['report', { trial: -1 }, 'trial', /^-1 is not the position/],
    ['upload', { kind: 'MODEL' }, 'kind', '"MODEL" is unknown; one of model, dataset'],
    ['upload by source', undefined, 'source', 'is missing; give an array'],
    ['upload by source', [{ ...FILE, content: '{}' }], 'source[0].content', '"{}" is not a Uint8Array'],
    ['upload by source', [], 'kind', 'is missing; neither model.json nor dataset.json is there'],
    ['trials', { pageSize: -1 }, 'pageSize', '-1 is not a whole number from 0 to 2147483647'],
    ['create', { requestId: '' }, 'requestId', '"" is not a string of 1 to 128 characters'],
    ['create', { requestId: null }, 'requestId', 'null is not a string of 1 to 128 characters'],
    ['create', null, 'options', 'null is not an object'],
    ['create', 'once', 'options', '"once" is not an object'],
    ['validate', { timeout: '5s' }, 'timeout', '"5s" is not milliseconds from 0 to 2147483647, or Infinity'],
    ['problems', { timeout: Number.NaN }, 'timeout', /^NaN is not milliseconds/],
    ['refresh', { signal: {} }, 'signal', 'an object is not an AbortSignal'],
    ['get', { space: {} }, 'space', 'is not a search space; make it with space({ … })'],
    ['get by name', undefined, 'name', 'is missing; give a string'],
    ['watch', { cursor: 7 }, 'cursor', '7 is not a string'],
    ['watch', { onDisconnect: true }, 'onDisconnect', 'true is not a function'],
    [
      'result',
      { cursor: '7' },
      'cursor',
      /^is unknown; the keys are signal, timeout, metadata, reconnectTimeout, onDisconnect, schedules/,
    ],
    ['trial', { trial: 0.5 }, 'trial', /^0.5 is not the position of a trial/],
    ['outerSteps', { includeWindows: 1 }, 'includeWindows', '1 is not true or false'],
    ['outerStep by index', 1.5, 'index', '1.5 is not a whole number from 0 to 2147483647'],
    ['outerStep by index', undefined, 'index', /^is missing; give a whole number/],
    ['schedule', { trial: '' }, 'trial', /^"" is not the position/],
    ['new GlocalClient', { adress: 'x:1' }, 'adress', 'is unknown; did you mean address?'],
    ['new GlocalClient', { tls: false }, 'tls', 'false is not an object'],
    ['new GlocalClient', { keepalive: { time: 0 } }, 'keepalive.time', /^0 is not milliseconds from 1/],
    ['new GlocalClient', { address: ['x:1', 2] }, 'address[1]', '2 is not a string'],
    ['new GlocalClient', { logger: { warn: 'x' } }, 'logger', /^is neither a function nor an object with/],
    ['create', { metadata: ['a'] }, 'metadata', 'an array is not an object'],
    ['create', { metadata: { ä: 'a' } }, 'metadata.ä', /^is no key of metadata/],
    [
      'create',
      { metadata: { Authorization: 'a' } },
      'metadata.Authorization',
      /^is reserved: give the option token/,
    ],
    ['watch', { metadata: { 'grpc-timeout': '1S' } }, 'metadata.grpc-timeout', /^is reserved/],
    ['watch', { metadata: { 'x-a': 'one\ntwo' } }, 'metadata.x-a', /^is not a string of printable ASCII/],
    ['list', { metadata: { 'x-a-bin': 'a' } }, 'metadata.x-a-bin', /^is not a Uint8Array/],
    ['drive', { timeout: -1 }, 'timeout', /^-1 is not milliseconds/],
    ['compare', [{}], 'others[0]', 'an object is not a study, as studies.get() gives it'],
    ['connect', { retry: { maxAttempts: 9 } }, 'retry.maxAttempts', '9 is not a whole number from 1 to 5'],
  ])('%s(%o) names %s', async (call, argument, field, description) => {
    const violations = await refused(call, argument);
    expect(Object.keys(violations)).toEqual([field]);
    expect(violations[field]).toEqual(
      typeof description === 'string' ? description : expect.stringMatching(description),
    );
  });

  it('is named together with what is wrong with the specification', async () => {
    const call = client.studies.create({ ...spec, problem: null as never }, { requestId: 'x'.repeat(129) });
    await expect(call).rejects.toMatchObject({
      fieldViolations: [{ field: 'problem' }, { field: 'requestId' }],
    });
    expect(asked).toEqual([]);
  });
});

it('options that leave all or nothing out are taken', async () => {
  const { signal } = new AbortController();
  const call = { signal, timeout: Number.POSITIVE_INFINITY };
  await client.studies.create(spec, { ...call, requestId: '😀'.repeat(128) });
  await client.studies.validate(spec, undefined);
  await client.studies.get(STUDY, { ...call, space: found.space });
  await first(client.studies.list({ ...call, pageSize: 0 }));
  await first(found.outerSteps({ ...call, trial: 0, pageSize: 5, includeWindows: true }));
  await found.result({ signal, reconnectTimeout: 0, onDisconnect: () => {} });
  await first(found.watch({ cursor: '', signal: undefined }));
  await found.outerStep(1, { ...call, trial: '0' });
});

describe('whatever is given', () => {
  const junk = fc.anything({
    withBigInt: true,
    withDate: true,
    withNullPrototype: true,
    withUnicodeString: true,
  });
  const keys = ['pageSize', 'timeout', 'signal', 'requestId', 'cursor', 'trial', 'space', 'reconnectTimeout'];
  const options = fc.oneof(junk, fc.dictionary(fc.constantFrom(...keys, 'retry', 'tls', 'address'), junk));

  it.each(Object.keys(calls))('%s throws nothing but a GlocalError', async (name) => {
    // A connection is attempted only where the options are right, and then to this server.
    const here = (argument: unknown) =>
      ['new GlocalClient', 'connect'].includes(name) && typeof argument === 'object' && argument !== null
        ? { ...argument, address: server.address }
        : argument;
    await fc.assert(
      fc.asyncProperty(name.includes(' by ') ? junk : options, async (argument) => {
        const error: unknown = await calls[name]?.(here(argument) as never).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error !== undefined) expect(error).toBeInstanceOf(GlocalError);
        if (error instanceof GlocalError) expect(error.code).not.toMatch(/INTERNAL|UNKNOWN/);
      }),
      { numRuns: 50 },
    );
  });
});
