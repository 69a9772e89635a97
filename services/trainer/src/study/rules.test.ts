/** What clients check before a call is what the server says of it, word for word. */

import {
  Estimator,
  FixedParameter,
  FloatParameter,
  Grouping,
  type Parameter,
  RunMode,
  SamplingMethod,
  Scale,
  Study,
} from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Catalogue } from './catalogue.ts';
import { brokenRules } from './rules.ts';
import { completeStudy, type StudyLimits } from './specification.ts';

const hyperparameter = (name: string, defaultValue?: number) => ({
  ...{ name, description: '', min: -1e300, max: 1e300, defaultValue },
  ...{ groupings: [Grouping.NONE, Grouping.LAYER, Grouping.CLASS], setting: false },
});
/** Has whatever is asked for, so that what remains is the fault of the study. */
const catalogue: Catalogue = {
  brokenDatasets: new Map(),
  classSizes: new Map(),
  datasets: [
    {
      ...{ id: 'd', description: '', trainExamples: 1_000, testExamples: 10, classes: 2 },
      inputShape: [28, 28, 1],
    },
  ],
  models: [
    {
      info: { id: 'm', description: '', parameters: 10 },
      rejects: () => undefined,
      size: () => ({ layers: 2, weights: 1_000 }),
    },
  ],
  optimizers: ['sgd', 'adam'].map((id) => ({
    ...{ id, description: '', averages: false },
    hyperparameters: ['lr', 'a', 'b'].map((name) => hyperparameter(name, 0.1)),
  })),
  lossHyperparameters: [],
};
const limits: StudyLimits = { maxSteps: 1e9, maxTrials: 1e9, maxWindowRows: 1e9, maxComponents: 1e9 };

const study = (changes: object): Study =>
  Study.fromPartial({
    space: { parameters: [float('lr')] },
    problem: { dataset: 'd', model: 'm', optimizer: 'sgd' },
    training: { steps: 100 },
    method: { estimator: Estimator.LOCAL },
    ...changes,
  });

const float = (name: string, changes: Partial<FloatParameter> = {}): Parameter => {
  const value = { min: 0.1, max: 1, initial: 0.5, grouping: Grouping.NONE, ...changes };
  return { name, kind: { $case: 'float', value: FloatParameter.create(value) } };
};
const kind = (name: string, kind: Parameter['kind']): Parameter => ({ name, kind });
const space = (...parameters: Parameter[]) => ({ space: { parameters } });
const method = (changes: object, estimator: Estimator = Estimator.GLOCAL) => ({
  method: { estimator, ...changes },
});
const external = { mode: RunMode.EXTERNAL, problem: undefined };

/** Studies that no server takes. */
const WRONG: readonly (readonly [what: string, changes: object])[] = [
  ['a long name', { displayName: 'x'.repeat(201) }],
  ['a label', { labels: { 'no blanks': 'x' } }],
  ['no steps', { training: { steps: 0 } }],
  ['a repeated seed', { training: { steps: 100, seeds: [1, 1] } }],
  ['many seeds', { training: { steps: 100, seeds: Array.from({ length: 65 }, (_, i) => i) } }],
  ['a window that does not fit', { ...method({ window: 30 }), training: { steps: 100 } }],
  ['no estimator', { method: {} }],
  ['a short sigma', method({ sigma: 3, dmd: { delays: 10 } })],
  ['a long sigma', method({ sigma: 60, window: 50 })],
  ['an interval below the window', method({ window: 50, interval: 20 })],
  ['many warm-up windows', method({ window: 50, warmupWindows: 9 })],
  ['reverse steps', method({ window: 50, reverseSteps: 60 })],
  ['an average', method({ averaging: 1 })],
  [
    'ranges of the decomposition',
    method({ dmd: { svdRank: -2, tolerance: 0, clip: 1, ridge: -1, lastShare: 2 } }),
  ],
  [
    'ranges of the optimizer',
    method({ outer: { rate: 0, beta1: 1, beta2: -1, epsilon: 0, maxLossRise: -1 } }),
  ],
  ['trainings', method({ trainings: 3 })],
  ['a cost below a plain run', method({ cost: { $case: 'overhead', value: 0.5 } })],
  ['bounds', space(float('lr', { min: 1, max: 0.5 }))],
  [
    'a start outside of the bounds',
    space(float('lr', { initial: 2 }), float('a', { initials: [0.1], initial: 0 })),
  ],
  ['a logarithm of 0', space(float('lr', { min: 0, scale: Scale.LOG }))],
  ['a parameter twice', space(float('lr'), float('lr'))],
  ['nothing that moves', space(kind('lr', { $case: 'fixed', value: FixedParameter.create({ value: 1 }) }))],
  ['a schedule', space(float('a'), kind('lr', { $case: 'scheduled', value: { schedule: undefined } }))],
  ['no values', space(float('lr'), kind('batch_size', { $case: 'discrete', value: { values: [] } }))],
  [
    'a fraction of a batch',
    space(float('lr'), kind('batch_size', { $case: 'discrete', value: { values: [1.5] } })),
  ],
  [
    'a range of whole numbers',
    space(float('lr'), kind('a', { $case: 'int', value: { min: 3, max: 1, step: -1 } })),
  ],
  ['a condition', space(float('lr'), { ...float('a'), condition: { parameter: 'lr', values: ['x'] } })],
  [
    'a network elsewhere',
    space(float('lr'), kind('a', { $case: 'network', value: { hiddenUnits: 1, detached: false } })),
  ],
  ['points', { sampling: { method: SamplingMethod.GRID, points: 3 } }],
  ['more points than there are', { sampling: { method: SamplingMethod.SOBOL, points: 3 } }],
  ['an urgency', { priority: 101 }],
  ['trials at a time', { sampling: { maxRunningTrials: -1 } }],
  ['a time of nobody', { decisionTimeout: { seconds: 1n, nanos: 0 } }],
  ['a time without end', { mode: RunMode.DRIVEN, decisionTimeout: { seconds: 10n ** 9n, nanos: 0 } }],
  ['an estimator of a client that trains', { ...external, ...method({}, Estimator.GLOBAL) }],
  ['a problem of one', { mode: RunMode.EXTERNAL }],
  ['a name of one', { ...external, ...space(float('no blanks')) }],
];

describe.each(WRONG)('a study with %s', (_what, changes) => {
  it('is refused by the same words on both sides', () => {
    const asked = study(changes);
    const { violations } = completeStudy(asked, catalogue, limits);
    expect(violations).not.toEqual([]);
    const sorted = (all: typeof violations) => all.map((one) => JSON.stringify(one)).sort();
    expect(sorted(brokenRules(asked))).toEqual(sorted(violations));
  });
});

describe('any study', () => {
  const number = fc.oneof(fc.constantFrom(-1, 0, 0.5, 1, 1e9, Number.NaN, Infinity), fc.double());
  const whole = fc.integer({ min: -2, max: 200 });
  const parameter = fc.oneof(
    fc.record({ min: number, max: number, initial: number }).map((value) => float('a', value)),
    fc
      .record({ initials: fc.array(number), scale: fc.constantFrom(Scale.LOG, Scale.LINEAR) })
      .map((value) => float('b', value)),
    fc.record({ min: whole, max: whole, step: whole }).map((value) => kind('a', { $case: 'int', value })),
    fc.array(number).map((values) => kind('batch_size', { $case: 'discrete', value: { values } })),
    fc
      .array(fc.constantFrom('sgd', 'adam', ''))
      .map((values) => kind('optimizer', { $case: 'categorical', value: { values } })),
    fc
      .array(fc.constantFrom('sgd', 'adam'))
      .map((values) => ({ ...float('b'), condition: { parameter: 'optimizer', values } })),
  );
  const some = <T>(fields: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) =>
    fc.record(fields, { requiredKeys: [] });
  const changes = some({
    displayName: fc.constantFrom('', 'x'.repeat(201)),
    mode: fc.constantFrom(RunMode.MANAGED, RunMode.DRIVEN, RunMode.EXTERNAL),
    space: fc.array(parameter, { maxLength: 4 }).map((more) => ({ parameters: [float('lr'), ...more] })),
    training: fc.record({ steps: whole, seeds: fc.array(fc.nat()) }),
    method: some({
      estimator: fc.integer({ min: 0, max: 7 }),
      ...{ window: whole, sigma: whole, stride: whole, interval: whole, warmupWindows: whole },
      ...{ averaging: number, sensitivityDiscount: number, reverseSteps: whole, trainings: whole },
      dmd: some({ delays: fc.nat(30), svdRank: number, tolerance: number }),
      outer: some({ rate: number, beta1: number, epsilon: number }),
    }),
    sampling: some({ method: fc.nat(3), points: whole, maxRunningTrials: whole }),
  });

  it('has no fault for clients that the server does not find', () => {
    fc.assert(
      fc.property(changes, (changed) => {
        const asked = study(changed);
        const { violations } = completeStudy(asked, catalogue, limits);
        const known = brokenRules(asked);
        // With a fault of the space that only its catalogue tells, a server counts no trials.
        const isCounted = violations.every(
          ({ field }) => !field.startsWith('space') || known.some((fault) => fault.field === field),
        );
        const comparable = known.filter(({ field }) => isCounted || field !== 'sampling.points');
        expect(violations).toEqual(expect.arrayContaining(comparable));
      }),
      { numRuns: 500 },
    );
  });
});
