/** What the SDK makes of studies, trials, outer steps and results that a server sends. */

import { DmdOptions, Spectrum, Variant, Verdict, WindowReport } from '@glocal/proto/glocal/v1/dmd';
import {
  Decision,
  Differentiation,
  Estimator,
  Source,
  StudyState,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import type { OuterStepPart } from '@glocal/proto/glocal/v1/study_service';
import { fixed, float, GlocalClient, network, space } from '@glocal/sdk';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import { event, outerStep, STUDY, study, TRIAL, trial } from './support/messages.ts';
import {
  type Script,
  type ScriptedServer,
  serviceError,
  startScriptedServer,
} from './support/scripted-server.ts';

let server: ScriptedServer | undefined;
let client: GlocalClient | undefined;

afterEach(() => {
  client?.close();
  server?.stop();
});

async function studiesOf(script: Script) {
  server = await startScriptedServer({ getStudy: (_call, callback) => callback(null, study()), ...script });
  client = new GlocalClient({ address: server.address });
  return client.studies;
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const doubles = (...values: number[]): Buffer => Buffer.from(Float64Array.from(values).buffer);

describe('lists', () => {
  it('come page by page, as far as they are read', async () => {
    const asked: object[] = [];
    const studies = await studiesOf({
      listStudies: ({ request }, callback) => {
        asked.push({ ...request });
        const page = Number(request.pageToken || 1);
        const named = [1, 2].map((i) => ({ ...study(), name: `studies/${page}${i}` }));
        callback(null, { studies: named, nextPageToken: page < 3 ? String(page + 1) : '' });
      },
    });
    const names = (await collect(studies.list({ pageSize: 2 }))).map(({ name }) => name);
    expect(names).toEqual(['11', '12', '21', '22', '31', '32'].map((id) => `studies/${id}`));
    expect(asked).toEqual(
      ['', '2', '3'].map((pageToken) => ({ pageSize: 2, pageToken, states: [], labels: {} })),
    );
    for await (const { name } of studies.list()) if (name === 'studies/12') break;
    expect(asked).toHaveLength(4);
  });

  it('end with an error where a page leads to itself', async () => {
    const studies = await studiesOf({
      listStudies: (_call, callback) => callback(null, { studies: [], nextPageToken: 'again' }),
    });
    await expect(collect(studies.list())).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });

  it('may have empty pages', async () => {
    const studies = await studiesOf({
      listStudies: ({ request }, callback) =>
        callback(null, { studies: [], nextPageToken: request.pageToken === '' ? 'on' : '' }),
    });
    expect(await collect(studies.list())).toEqual([]);
  });
});

describe('studies.get', () => {
  it('gives what the study is to do, and its state', async () => {
    const studies = await studiesOf({});
    const found = await studies.get(STUDY);
    expect(found).toMatchObject({
      name: STUDY,
      displayName: 'a test',
      state: 'ACTIVE',
      stateReason: 'as the test says',
      createTime: new Date('2024-05-01T10:00:00Z'),
      space: {
        parameters: {
          lr: { kind: 'float', min: 1e-4, max: 1, init: 0.01, scale: 'log' },
          weightDecay: { kind: 'fixed', value: 5e-4 },
        },
      },
    });
  });

  it('gives the types of a space that the study has, and refuses another', async () => {
    const studies = await studiesOf({
      exportSchedule: (_call, callback) =>
        callback(null, { parameters: ['lr'], points: [{ step: 0, values: [0.01] }], nextPageToken: '' }),
      listTrials: (_call, callback) => callback(null, { trials: [trial()], nextPageToken: '' }),
    });
    const typed = await studies.get(STUDY, { space: space({ lr: float({ min: 0, max: 1, init: 0.5 }) }) });
    const { points } = await typed.schedule();
    expectTypeOf<NonNullable<(typeof points)[0]>['values']['lr']>().toEqualTypeOf<number>();
    await expect(studies.get(STUDY, { space: space({ lr: fixed(0.1) }) })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'SPACE_MISMATCH',
      message: `${STUDY} has no fixed parameter lr`,
    });
  });
});

it('studies.validate gives the specification with its defaults', async () => {
  const studies = await studiesOf({
    validateStudy: ({ request }, callback) => {
      if (request.study === undefined) throw new Error('no study');
      const { study: given } = request;
      callback(null, {
        ...given,
        problem: given.problem && { ...given.problem, batchSize: 128, validationExamples: 1_000 },
        method: given.method && { ...given.method, estimator: Estimator.LOCAL, window: 50, sigma: 20 },
      });
    },
  });
  const complete = await studies.validate({
    space: space({ lr: float({ min: 1e-4, max: 1, init: 0.01 }) }),
    problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd' },
    training: { steps: 100 },
    method: { estimator: 'local' },
  });
  expect(complete.problem.batchSize).toBe(128);
  expect(complete.method).toMatchObject({ estimator: 'local', window: 50, sigma: 20 });
});

it('study.refresh and study.cancel renew the state in place', async () => {
  let now: StudyState = StudyState.ACTIVE;
  const studies = await studiesOf({
    getStudy: (_call, callback) => callback(null, study(now)),
    cancelStudy: (_call, callback) => callback(null, study(StudyState.CANCELLED)),
  });
  const found = await studies.get(STUDY);
  now = StudyState.FAILED;
  expect(await found.refresh()).toBe(found);
  expect(found.state).toBe('FAILED');
  expect(await found.cancel()).toBe(found);
  expect(found).toMatchObject({ state: 'CANCELLED', ended: true });
});

describe('the life of a study', () => {
  it('is paused, resumed and deleted by its caller', async () => {
    const asked: unknown[] = [];
    const studies = await studiesOf({
      listTrials: (_call, callback) => callback(null, { trials: [trial(0), trial(1)], nextPageToken: '' }),
      pauseStudy: ({ request }, callback) => {
        asked.push(request);
        callback(null, study(StudyState.PAUSED));
      },
      resumeStudy: ({ request }, callback) => {
        asked.push(request);
        callback(null, study());
      },
      deleteStudy: ({ request }, callback) => {
        asked.push(request);
        callback(null, {});
      },
    });
    const found = await studies.get(STUDY);
    expect(await found.pause()).toBe(found);
    expect(found).toMatchObject({ state: 'PAUSED', ended: false });
    expect(await found.resume()).toMatchObject({ state: 'ACTIVE' });
    await found.resume({ trials: [{ trial: 1 }, { trial: TRIAL, outerStep: 7 }] });
    await found.delete();
    await found.delete({ force: true });
    expect(asked).toEqual([
      { name: STUDY },
      { name: STUDY, trials: [] },
      {
        name: STUDY,
        trials: [
          { trial: `${STUDY}/trials/1`, outerStep: 0 },
          { trial: TRIAL, outerStep: 7 },
        ],
      },
      { name: STUDY, force: false },
      { name: STUDY, force: true },
    ]);
  });

  it('is looked for by states and labels', async () => {
    const asked: unknown[] = [];
    const studies = await studiesOf({
      listStudies: ({ request }, callback) => {
        asked.push(request);
        callback(null, { studies: [], nextPageToken: '' });
      },
    });
    await collect(studies.list({ states: ['PAUSED', 'FAILED'], labels: { team: 'vision', run: '' } }));
    expect(asked).toEqual([
      {
        pageSize: 0,
        pageToken: '',
        states: [StudyState.PAUSED, StudyState.FAILED],
        labels: { team: 'vision', run: '' },
      },
    ]);
  });

  it('shows what each trial has of what makes trials, and what it can go on from', async () => {
    const own = trial(0, {
      choices: [
        { name: 'batch_size', value: { $case: 'number', value: 64 } },
        { name: 'optimizer', value: { $case: 'category', value: 'adam' } },
        { name: 'nesterov', value: { $case: 'flag', value: true } },
      ],
      checkpoints: [3, 4],
      checkpointBytes: 5_000_000_000n,
    });
    const studies = await studiesOf({
      listTrials: (_call, callback) => callback(null, { trials: [own], nextPageToken: '' }),
      getTrial: (_call, callback) => callback(null, own),
    });
    const { choices, checkpoints, checkpointBytes } = await (await studies.get(STUDY)).trial();
    expect(choices).toEqual({ batchSize: 64, optimizer: 'adam', nesterov: true });
    expect({ checkpoints, checkpointBytes }).toEqual({ checkpoints: [3, 4], checkpointBytes: 5e9 });
  });
});

it('study.reanalyze gives what other options would have found', async () => {
  const asked: unknown[] = [];
  const studies = await studiesOf({
    listTrials: (_call, callback) => callback(null, { trials: [trial()], nextPageToken: '' }),
    reanalyzeWindow: ({ request }, callback) => {
      asked.push(request);
      callback(null, {
        report: WindowReport.create({ verdict: Verdict.TRUSTED, glocal: doubles(1, 2) }),
        hypergradient: [1, 0.5],
        sources: [Source.GLOCAL, Source.LOCAL],
        reason: 'as the test says',
      });
    },
  });
  const found = await studies.get(STUDY);
  const { report, ...used } = await found.reanalyze(3, { sigma: 12, dmd: { variant: 'hankel', delays: 4 } });
  expect(report).toMatchObject({ verdict: 'TRUSTED', glocal: Float64Array.of(1, 2) });
  expect(used).toEqual({
    hypergradient: [1, 0.5],
    sources: ['glocal', 'local'],
    reason: 'as the test says',
  });
  expect(asked).toEqual([
    {
      name: `${TRIAL}/outerSteps/3`,
      sigma: 12,
      dmd: DmdOptions.create({ variant: Variant.HANKEL, delays: 4 }),
    },
  ]);
});

describe('study.outerSteps', () => {
  const figures = {
    growingShare: 0.1,
    growingShareLimit: 0.99,
    undampedShare: 0.2,
    undampedShareLimit: 0.5,
    spikeRatio: 3,
    spikeRatioLimit: 600,
    trustedTScore: 0.75,
    overshoot: 0.25,
    overshootLimit: 1,
    reconstructionErrorLimit: 1,
    modeConditionLimit: 1e6,
  };
  const step = outerStep(1, {
    trainLoss: 0.75,
    window: {
      components: ['lr', 'momentum'],
      firstStep: 48,
      rows: 2,
      stride: 1,
      hypergradients: doubles(1, 2, 3, Number.POSITIVE_INFINITY),
    },
    report: {
      verdict: Verdict.TRUSTED,
      verdictReason: 'all of them',
      verdictFigures: figures,
      spread: doubles(0.1, 0.2),
      glocal: doubles(0.5, -0.5),
      componentTrusted: [true, true],
      tScores: doubles(3, 4),
      mean: doubles(5, 6),
      median: doubles(7, 8),
      last: doubles(9, 10),
      spectrum: {
        modes: [
          {
            eigenvalueRe: 0.9,
            eigenvalueIm: 0.1,
            contributionNorm: 2,
            energyShare: 0.4,
            steady: true,
            contribution: doubles(1, -1, 2, -2),
          },
        ],
        singularValues: [4, 2],
        rank: 1,
        pairResidual: 0.01,
        reconstructionError: 0.02,
        spectralRadius: 0.95,
        bound: { modeCondition: 3, lastResidual: 0.1, decayingNorm: 0.2 },
      },
      computeTime: { seconds: 1n, nanos: 250_000 },
    },
    update: {
      hypergradient: [0.5, -0.5],
      sources: [Source.GLOCAL, Source.HELD],
      rate: 0.3,
      reason: 'TRUSTED',
      rolledBack: false,
      clipped: ['momentum'],
      fellBack: true,
      decision: Decision.fromPartial({
        outerStep: 1,
        outerRate: 0.2,
        action: { $case: 'accept', value: {} },
      }),
    },
    timing: {
      training: { seconds: 6n, nanos: 500_000_000 },
      hypergradients: { seconds: 2n, nanos: 0 },
      dmd: { seconds: 0n, nanos: 2_500_000 },
      other: undefined,
      decision: { seconds: 3n, nanos: 0 },
      checkpoint: { seconds: 0n, nanos: 1_500_000 },
      plain: { seconds: 4n, nanos: 0 },
      plainSteps: 350,
    },
    averagedValidation: { loss: 0.5, accuracy: 0.75, examples: 100 },
    differentiation: { used: Differentiation.REVERSE, forwardGradients: 300, reverseGradients: 150 },
  });
  const script: Script = {
    listTrials: (_call, callback) => callback(null, { trials: [trial(0), trial(1)], nextPageToken: '' }),
    listOuterSteps: ({ request }, callback) => {
      const rows = request.includeWindows
        ? step.window
        : step.window && { ...step.window, hypergradients: Buffer.of() };
      callback(null, {
        outerSteps: [{ ...step, name: `${request.parent}/outerSteps/1`, window: rows }],
        nextPageToken: '',
      });
    },
    getOuterStep: ({ request }, callback) => callback(null, { ...step, name: request.name }),
  };

  it('gives numbers, names and vectors', async () => {
    const studies = await studiesOf(script);
    const [decoded] = await collect((await studies.get(STUDY)).outerSteps({ includeWindows: true }));
    expect(decoded).toEqual({
      name: `${TRIAL}/outerSteps/1`,
      trial: TRIAL,
      index: 1,
      step: 50,
      values: { lr: 0.01, momentum: 0.1, weightDecay: 5e-4 },
      nextValues: { lr: 0.02, momentum: 0.1, weightDecay: 5e-4 },
      trainLoss: 0.75,
      validation: { loss: 1, accuracy: 0.5, examples: 1_000 },
      verdict: 'TRUSTED',
      window: {
        components: ['lr', 'momentum'],
        firstStep: 48,
        rows: 2,
        stride: 1,
        hypergradients: [Float64Array.of(1, 2), Float64Array.of(3, Number.POSITIVE_INFINITY)],
      },
      report: {
        verdict: 'TRUSTED',
        verdictReason: 'all of them',
        verdictFigures: figures,
        spread: Float64Array.of(0.1, 0.2),
        glocal: Float64Array.of(0.5, -0.5),
        componentTrusted: [true, true],
        tScores: Float64Array.of(3, 4),
        mean: Float64Array.of(5, 6),
        median: Float64Array.of(7, 8),
        last: Float64Array.of(9, 10),
        spectrum: {
          modes: [
            {
              eigenvalue: { re: 0.9, im: 0.1 },
              contributionNorm: 2,
              energyShare: 0.4,
              steady: true,
              contribution: { re: Float64Array.of(1, 2), im: Float64Array.of(-1, -2) },
            },
          ],
          singularValues: [4, 2],
          rank: 1,
          pairResidual: 0.01,
          reconstructionError: 0.02,
          spectralRadius: 0.95,
          bound: { modeCondition: 3, lastResidual: 0.1, decayingNorm: 0.2 },
        },
        computeTime: 1_000.25,
      },
      update: {
        hypergradient: [0.5, -0.5],
        sources: ['glocal', 'held'],
        rate: 0.3,
        reason: 'TRUSTED',
        rolledBack: false,
        clipped: ['momentum'],
        fellBack: true,
        decision: { action: 'accept', outerRate: 0.2 },
      },
      timing: {
        training: 6_500,
        hypergradients: 2_000,
        dmd: 2.5,
        other: 0,
        decision: 3_000,
        checkpoint: 1.5,
        plain: 4_000,
        plainSteps: 350,
      },
      averagedValidation: { loss: 0.5, accuracy: 0.75, examples: 100 },
      differentiation: { used: 'reverse', forwardGradients: 300, reverseGradients: 150 },
    });
  });

  it('leaves the rows out unless asked for them', async () => {
    const studies = await studiesOf(script);
    const [decoded] = await collect((await studies.get(STUDY)).outerSteps());
    expect(decoded?.window).toMatchObject({ rows: 2, hypergradients: undefined });
  });

  it('gives those of the trial that is meant', async () => {
    const studies = await studiesOf(script);
    const found = await studies.get(STUDY);
    expect((await collect(found.outerSteps({ trial: 1 })))[0]?.trial).toBe(`${STUDY}/trials/1`);
    expect((await found.outerStep(7, { trial: 1 })).name).toBe(`${STUDY}/trials/1/outerSteps/7`);
  });
});

/** Answers with the parts of an outer step, as the contract orders them. */
const inParts =
  (parts: readonly OuterStepPart['part'][]): NonNullable<Script['readOuterStep']> =>
  (call) => {
    for (const part of parts) call.write({ part });
    call.end();
  };

describe('an outer step of any size', () => {
  const rows = Array.from({ length: 40 }, (_, row) => Float64Array.of(row, -row));
  const large = doubles(...rows.flatMap((row) => [...row]));
  const mode = {
    eigenvalueRe: 1,
    eigenvalueIm: 0,
    contributionNorm: 1,
    energyShare: 1,
    steady: true,
    contribution: Buffer.of(),
  };
  const withoutRows = outerStep(1, {
    window: {
      components: ['lr', 'momentum'],
      firstStep: 1,
      rows: 40,
      stride: 1,
      hypergradients: Buffer.of(),
    },
    report: { ...WindowReport.create(), spectrum: { ...Spectrum.create(), modes: [mode, mode] } },
  });
  const parts: OuterStepPart['part'][] = [
    { $case: 'outerStep', value: withoutRows },
    { $case: 'hypergradients', value: large.subarray(0, 100) },
    { $case: 'hypergradients', value: large.subarray(100) },
    { $case: 'contribution', value: { mode: 0, contribution: doubles(1, 2) } },
    { $case: 'contribution', value: { mode: 1, contribution: doubles(3, 4).subarray(0, 7) } },
    { $case: 'contribution', value: { mode: 1, contribution: doubles(3, 4).subarray(7) } },
    // A kind of part that only a newer SDK knows.
    undefined,
  ];
  const withVector = (values: number[]) => {
    const all = [{ name: 'reweighting', value: 0.5, values }];
    return { values: all, nextValues: all };
  };
  const listed: Script = {
    listTrials: (_call, callback) => callback(null, { trials: [trial()], nextPageToken: '' }),
    listOuterSteps: (_call, callback) => callback(null, { outerSteps: [withoutRows], nextPageToken: '' }),
  };

  it('is put together from its parts', async () => {
    const names: string[] = [];
    const studies = await studiesOf({
      ...listed,
      readOuterStep: (call) => {
        names.push(call.request.name);
        inParts(parts)(call);
      },
    });
    const { window, report } = await (await studies.get(STUDY)).outerStep(1);
    expect(names).toEqual([`${TRIAL}/outerSteps/1`]);
    expect(window?.hypergradients).toEqual(rows);
    expect(report?.spectrum.modes.map(({ contribution }) => contribution)).toEqual([
      { re: Float64Array.of(1), im: Float64Array.of(2) },
      { re: Float64Array.of(3), im: Float64Array.of(4) },
    ]);
  });

  it('comes with its rows also where it does not fit into a page', async () => {
    const studies = await studiesOf({ ...listed, readOuterStep: inParts(parts) });
    const found = await studies.get(STUDY);
    const [step] = await collect(found.outerSteps({ includeWindows: true }));
    expect(step?.window?.hypergradients).toEqual(rows);
    expect(step?.report?.spectrum.modes[0]?.contribution).toBeDefined();
  });

  it('is not read for its rows by one who did not ask for them', async () => {
    const studies = await studiesOf(listed);
    const [step] = await collect((await studies.get(STUDY)).outerSteps());
    expect(step?.window?.hypergradients).toBeUndefined();
  });

  it('is read for its vectors where these alone pass a message', async () => {
    const vector = network({ hiddenUnits: 1 });
    const studies = await studiesOf({
      ...listed,
      getStudy: (_call, callback) =>
        callback(null, {
          ...study(),
          space: {
            parameters: [
              { name: 'reweighting', kind: { $case: 'network', value: { hiddenUnits: 1, detached: false } } },
            ],
          },
        }),
      listOuterSteps: (_call, callback) =>
        callback(null, {
          outerSteps: [outerStep(1, withVector([])), outerStep(2, withVector([1, 2, 3, 4]))],
          nextPageToken: '',
        }),
      readOuterStep: (call) => {
        asked.push(call.request.name);
        inParts([{ $case: 'outerStep', value: outerStep(1, withVector([5, 6, 7, 8])) }])(call);
      },
    });
    const asked: string[] = [];
    const found = await studies.get(STUDY, { space: space({ reweighting: vector }) });
    const steps = await collect(found.outerSteps());
    expect(steps.map(({ values }) => values.reweighting)).toEqual([
      [5, 6, 7, 8],
      [1, 2, 3, 4],
    ]);
    expect(asked).toEqual([`${TRIAL}/outerSteps/1`]);
  });

  it('says in events that its vectors were left out, as a trial does that has not started', async () => {
    const studies = await studiesOf({
      getStudy: (_call, callback) =>
        callback(null, {
          ...study(),
          space: {
            parameters: [
              { name: 'reweighting', kind: { $case: 'network', value: { hiddenUnits: 1, detached: false } } },
            ],
          },
        }),
      watchStudy: (call) => {
        const pending = trial(0, { values: [{ name: 'reweighting', value: Number.NaN, values: [] }] });
        call.write(event(1, { $case: 'trial', value: pending }));
        call.write(event(2, { $case: 'outerStep', value: outerStep(1, withVector([])) }));
        call.write(event(3, { $case: 'outerStep', value: outerStep(1, withVector([1, 2, 3, 4])) }));
        call.end();
      },
    });
    const seen: unknown[] = [];
    for await (const message of (await studies.get(STUDY)).watch()) {
      if (message.type === 'trial' || message.type === 'outerStep') seen.push(message.values);
    }
    expect(seen).toEqual([
      { reweighting: undefined },
      { reweighting: undefined },
      { reweighting: [1, 2, 3, 4] },
    ]);
  });

  it('is one message of a server that does not know how to send parts', async () => {
    const whole = {
      ...withoutRows,
      window: withoutRows.window && { ...withoutRows.window, hypergradients: large },
    };
    const studies = await studiesOf({ ...listed, getOuterStep: (_call, callback) => callback(null, whole) });
    expect((await (await studies.get(STUDY)).outerStep(1)).window?.hypergradients).toEqual(rows);
  });

  it.each([
    ['nothing', []],
    ['rows without their step', parts.slice(1)],
    [
      'a contribution of a mode that is not there',
      [...parts, { $case: 'contribution', value: { mode: 2, contribution: doubles(1, 2) } }],
    ],
    ['too few rows', parts.slice(0, 2)],
  ] as [string, OuterStepPart['part'][]][])('is DATA_LOSS when %s comes', async (_what, some) => {
    const studies = await studiesOf({ ...listed, readOuterStep: inParts(some) });
    await expect((await studies.get(STUDY)).outerStep(1)).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });

  it('passes on what the server says instead', async () => {
    const studies = await studiesOf({
      ...listed,
      readOuterStep: (call) => {
        call.emit(
          'error',
          serviceError({ code: status.NOT_FOUND, message: 'no such step', reason: 'NOT_FOUND' }),
        );
      },
    });
    await expect((await studies.get(STUDY)).outerStep(9)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('has the deadline of a call', async () => {
    const studies = await studiesOf({ ...listed, readOuterStep: () => {} });
    await expect((await studies.get(STUDY)).outerStep(1, { timeout: 200 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('within 200 ms'),
    });
  });
});

describe('a schedule larger than a message', () => {
  const values = Array.from({ length: 400 }, (_, i) => i);
  const columns = values.map((i) => `lr/${i}`);
  const POINTS = 3_000;
  const PAGE = 1_000;
  const script: Script = {
    watchStudy: (call) => {
      call.write(event(1, { $case: 'study', value: study(StudyState.COMPLETED) }));
      call.end();
    },
    listTrials: (_call, callback) => callback(null, { trials: [trial()], nextPageToken: '' }),
    exportSchedule: ({ request }, callback) => {
      const from = Number(request.pageToken || 0);
      const points = Array.from({ length: PAGE }, (_, i) => ({ step: from + i, values }));
      const next = from + PAGE;
      callback(null, { parameters: columns, points, nextPageToken: next < POINTS ? String(next) : '' });
    },
  };

  it('is read page by page', async () => {
    const studies = await studiesOf(script);
    const schedule = await (await studies.get(STUDY)).schedule();
    expect(schedule.columns).toEqual(columns);
    expect(schedule.points.map(({ step }) => step)).toEqual(Array.from({ length: POINTS }, (_, i) => i));
    expect(schedule.points.at(-1)?.values).toEqual({ lr: values });
  });

  it('is not read for a result without schedules', async () => {
    const studies = await studiesOf({
      ...script,
      exportSchedule: (_call, callback) =>
        callback(serviceError({ code: status.INTERNAL, message: 'asked' })),
    });
    const { trials, best } = await (await studies.get(STUDY)).result({ schedules: false });
    expect(trials[0]).not.toHaveProperty('schedule');
    expect(trials[0]?.verdicts).toMatchObject({ TRUSTED: 0 });
    // @ts-expect-error It has none.
    best?.schedule;
  });

  it('is part of a result all the same', async () => {
    const studies = await studiesOf(script);
    const { trials } = await (await studies.get(STUDY)).result();
    expect(trials[0]?.schedule.points).toHaveLength(POINTS);
  });
});

it('study.result waits for the end and gathers what came out', async () => {
  const ended = (number: number, loss: number) =>
    trial(number, { state: TrialState.SUCCEEDED, validation: { loss, accuracy: 0.8, examples: 1_000 } });
  const studies = await studiesOf({
    watchStudy: (call) => {
      call.write(event(1, { $case: 'study', value: study() }));
      for (const index of [1, 2, 3]) {
        call.write(event(index + 1, { $case: 'outerStep', value: outerStep(index) }));
      }
      setTimeout(() => {
        call.write(event(5, { $case: 'study', value: study(StudyState.COMPLETED) }));
        call.end();
      }, 100);
    },
    getStudy: (_call, callback) => callback(null, study(StudyState.COMPLETED)),
    listTrials: (_call, callback) =>
      callback(null, { trials: [ended(0, 0.5), ended(1, 0.4)], nextPageToken: '' }),
    exportSchedule: ({ request }, callback) =>
      callback(null, {
        parameters: ['lr'],
        points: [{ step: request.name === TRIAL ? 1 : 2, values: [0.01] }],
        nextPageToken: '',
      }),
  });
  const { state, trials, best } = await (await studies.get(STUDY)).result();
  expect(state).toBe('COMPLETED');
  expect(trials.map(({ name }) => name)).toEqual([TRIAL, `${STUDY}/trials/1`]);
  expect(trials[0]?.verdicts).toMatchObject({ TRUSTED: 2, UNCERTAIN: 1, DIVERGING: 0 });
  expect(trials[1]?.verdicts).toMatchObject({ TRUSTED: 0, UNCERTAIN: 0 });
  expect(trials[1]?.schedule.toCsv()).toBe('step,lr\n2,0.01\n');
  expect(best).toBe(trials[1]);
});
