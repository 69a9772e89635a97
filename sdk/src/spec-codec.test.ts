import { DmdOptions } from '@glocal/proto/glocal/v1/dmd';
import type * as proto from '@glocal/proto/glocal/v1/study';
import { Estimator, Grouping, Method, RunMode, Scale, Study } from '@glocal/proto/glocal/v1/study';
import { unknownFields } from '@glocal/proto/unknown-fields';
import { describe, expect, it } from 'vitest';
import { bool, categorical, discrete, fixed, float, space } from './space.ts';
import { decodeSpace, encodeSpace } from './space-codec.ts';
import type { StudySpec } from './spec.ts';
import { decodeSpec, encodeSpec } from './spec-codec.ts';
import { everything } from './testing/specifications.ts';

const least: StudySpec = {
  space: space({ lr: float({ min: 1e-4, max: 1, init: 0.01 }) }),
  problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd' },
  training: { steps: 2_000 },
  method: { estimator: 'glocal' },
};

const sent = (spec: StudySpec) => Study.decode(Study.encode(encodeSpec(spec)).finish());

describe('encodeSpec', () => {
  it('leaves to the server what the caller leaves out', () => {
    expect(sent(least)).toMatchObject({
      displayName: '',
      space: {
        parameters: [
          { name: 'lr', kind: { $case: 'float', value: { initial: 0.01, scale: Scale.UNSPECIFIED } } },
        ],
      },
      problem: { batchSize: 0, validationExamples: 0 },
      training: { steps: 2_000, seeds: [] },
      method: { estimator: Estimator.GLOCAL, window: 0, sigma: 0 },
    });
    expect(sent(least).problem?.standardize).toBeUndefined();
    expect(sent(least).method).toEqual(Method.create({ estimator: Estimator.GLOCAL }));
    expect(sent({ ...least, method: { estimator: 'glocal', dmd: { delays: 5 } } }).method?.dmd).toEqual(
      DmdOptions.create({ delays: 5 }),
    );
  });

  it('says of a float that it is one value, and which scale only when the caller does', () => {
    expect(sent(least).space?.parameters[0]?.kind?.value).toEqual({
      min: 1e-4,
      max: 1,
      initial: 0.01,
      scale: Scale.UNSPECIFIED,
      grouping: Grouping.NONE,
      initials: [],
      size: 0,
    });
  });

  it('calls fields of the problem that make trials as the contract does', () => {
    const choices = { batchSize: discrete([64, 128]), 'augmentation.horizontalFlip': bool() };
    const sentSpace = sent({ ...least, space: space(choices) }).space;
    expect(sentSpace?.parameters.map(({ name }) => name)).toEqual([
      'batch_size',
      'augmentation.horizontal_flip',
    ]);
  });

  it('has hyperparameters and labels of any name, there and back', () => {
    const given = JSON.parse('{ "__proto__": "x" }');
    const named = {
      ...least,
      space: space({ ...least.space.parameters, ['__proto__']: float({ min: 0, max: 1, init: 0.5 }) }),
      labels: given,
    };
    const { labels, space: found } = decodeSpec(sent(named));
    expect(Object.keys(labels)).toEqual(['__proto__']);
    expect(Object.keys(found.parameters)).toEqual(['lr', '__proto__']);
  });

  it('sends no problem of an external study', () => {
    const { problem: _none, ...external } = least;
    const spec = { ...external, mode: 'external' } as const;
    expect(Study.decode(Study.encode(encodeSpec(spec)).finish()).problem).toBeUndefined();
    const again = decodeSpec(Study.create({ mode: RunMode.EXTERNAL }));
    expect(encodeSpec({ ...spec, problem: again.problem }).problem).toBeUndefined();
    expect(encodeSpec({ ...spec, problem: { model: 'lenet' } }).problem).toMatchObject({ model: 'lenet' });
  });

  it('says everything that the caller says', () => {
    expect(decodeSpec(sent(everything))).toEqual(everything);
    expect(Object.keys(decodeSpec(sent(everything)).space.parameters)).toEqual([
      'momentum',
      'lr',
      'weightDecay',
      'rates',
      'points',
      'vectors',
      'cosine',
      'cooldown',
      'replay',
      'l2',
      'classWeights',
      'reweighting',
      'dampening',
      'own',
      'layers',
      'nesterov',
      'model',
      'shape',
      'augmentation.cropPadding',
    ]);
  });

  it('leaves whole numbers that make no sense to the server', () => {
    expect(sent({ ...least, training: { steps: -5 } }).training?.steps).toBe(-5);
  });
});

it('decodeSpec makes up no default that the server did not state', () => {
  const { method } = decodeSpec(Study.create({ method: { dmd: {} } }));
  expect(method.dmd).toMatchObject({ variant: 'unknown', delays: Number.NaN });
});

it('a study from before there was a share of the last row asked for none', () => {
  const { method, ...study } = sent(everything);
  const before = { ...study, method: { ...method, dmd: { ...method?.dmd, lastShare: undefined } } };
  expect(decodeSpec(before as proto.Study).method).toMatchObject({ dmd: { lastShare: 0 } });
});

describe('children of a categorical', () => {
  const searched = space({
    optimizer: categorical({
      sgd: {
        lr: float({ min: 0, max: 1, init: 0.1, scale: 'log' }),
        nested: categorical({ a: {}, b: { rate: fixed(1) } }),
      },
      adam: { lr: float({ min: 0, max: 1, init: [0.1, 0.2], scale: 'log' }) },
    }),
    momentum: fixed(0.5),
  });

  it('are parameters with a condition, after their parent', () => {
    const { space: message } = sent({ ...least, space: searched });
    expect(message?.parameters.map(({ name, condition }) => [name, condition])).toEqual([
      ['optimizer', undefined],
      ['lr', { parameter: 'optimizer', values: ['sgd'] }],
      ['nested', { parameter: 'optimizer', values: ['sgd'] }],
      ['rate', { parameter: 'nested', values: ['b'] }],
      ['lr', { parameter: 'optimizer', values: ['adam'] }],
      ['momentum', undefined],
    ]);
  });

  it('come back as they were', () => {
    expect(decodeSpec(sent({ ...least, space: searched })).space).toEqual(searched);
  });

  it('are there for each value that another client names', () => {
    const message = sent({ ...least, space: searched });
    const [, lr] = message.space?.parameters ?? [];
    if (lr?.condition) lr.condition.values = ['sgd', 'adam'];
    message.space?.parameters.splice(4, 1);
    const { optimizer } = decodeSpec(message).space.parameters;
    expect(optimizer).toMatchObject({
      children: { adam: { lr: { init: 0.1 } }, sgd: { lr: { init: 0.1 } } },
    });
  });
});

it('fields that a newer server has put into a space are in its message again', () => {
  const news = (n: number) => ({ [unknownFields]: { 8002: [Uint8Array.of(1, n)] } });
  const point = { step: 0, value: 1, values: [], ...news(1) };
  const vector = { step: 0, value: 0, values: [1, 2], ...news(1) };
  const kinds: NonNullable<proto.ScheduledParameter['schedule']>[] = [
    { $case: 'points', value: { points: [point], grouping: Grouping.NONE, ...news(2) } },
    { $case: 'points', value: { points: [vector], grouping: Grouping.LAYER, ...news(2) } },
    { $case: 'cosine', value: { peak: 1, final: 0, warmupSteps: 0, ...news(3) } },
    { $case: 'cooldown', value: { value: 1, cooldownSteps: 1, warmupSteps: 0, ...news(4) } },
    { $case: 'replay', value: { trial: 'studies/a/trials/0', parameter: 'lr', ...news(5) } },
  ];
  const parameters: proto.Parameter[] = [
    ...kinds.map((schedule, i) => ({
      name: `s${i}`,
      kind: { $case: 'scheduled' as const, value: { schedule, ...news(10 + i) } },
      condition: undefined,
      ...news(20 + i),
    })),
    {
      name: 'reweighting',
      kind: { $case: 'network', value: { hiddenUnits: 3, detached: true, ...news(6) } },
      condition: undefined,
    },
    {
      name: 'l2',
      kind: {
        $case: 'float',
        value: { min: 0, max: 1, initial: 0.1, initials: [], scale: 1, grouping: 1, size: 3, ...news(7) },
      },
      condition: undefined,
    },
  ];
  const message = { parameters, ...news(8) };
  expect(encodeSpace(decodeSpace(message))).toEqual(message);
});
