/** Specifications made of the edges of every field: each is refused by name, or can start. */

import { Anchor, Scaling, Selection, Variant } from '@glocal/proto/glocal/v1/dmd';
import {
  Differentiation,
  Estimator,
  EvaluationPoint,
  Grouping,
  type Parameter,
  Problem,
  SamplingMethod,
  Scale,
  Study,
} from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { LabelledExamples } from '../../data/examples.ts';
import { type PreparedData, prepare } from '../../data/prepare.ts';
import { chooseDifferentiation } from '../../hyper/differentiation.ts';
import { SearchPoint } from '../../hyper/search-point.ts';
import { networkSize } from '../../inner/reweighting-size.ts';
import { asComplete, type CompleteStudy } from '../../resource/complete-study.ts';
import { type Catalogue, loadCatalogue } from '../catalogue.ts';
import { newTrials } from '../new-trials.ts';
import { problemField } from '../problem-fields.ts';
import { completeStudy, type StudyLimits } from '../specification.ts';
import { studyOfTrial } from '../trial-study.ts';
import { validationExamples } from './defaults.ts';

const LIMITS: StudyLimits = {
  maxSteps: 10_000_000,
  maxTrials: 64,
  maxWindowRows: 512,
  maxComponents: 100_000,
};

/** Data sets by their id: shape of an example, and training examples of each class. */
const DATASETS: Record<string, { inputShape: number[]; classSizes: number[] }> = {
  images: { inputShape: [16, 16, 1], classSizes: [150, 150, 150] },
  uneven: { inputShape: [5], classSizes: [400, 3, 1, 0] },
  tiny: { inputShape: [2], classSizes: [1, 1] },
  volumes: { inputShape: [4, 4, 4, 1], classSizes: [150, 150] },
};

function examplesOf({ inputShape, classSizes }: (typeof DATASETS)[string]): LabelledExamples {
  const labels = Int32Array.from(classSizes.flatMap((size, label) => Array<number>(size).fill(label)));
  const count = labels.length;
  const values = new Float32Array(count * inputShape.reduce((a, b) => a * b, 1)).map((_, i) => i % 7);
  return { count, shape: inputShape, classes: classSizes.length, values, labels };
}

let catalogue: Catalogue;
beforeAll(async () => {
  const datasets = Object.entries(DATASETS).map(([id, { inputShape, classSizes }]) => {
    const trainExamples = classSizes.reduce((a, b) => a + b, 0);
    return { id, description: '', trainExamples, testExamples: 1, classes: classSizes.length, inputShape };
  });
  const classSizes = new Map(Object.entries(DATASETS).map(([id, dataset]) => [id, dataset.classSizes]));
  catalogue = { ...(await loadCatalogue({ modelDir: undefined, log: () => {} })), datasets, classSizes };
});

const INT32 = 2 ** 31 - 1;
const UINT32 = 2 ** 32 - 1;
/** Mostly what makes sense, so that a specification has one edge or two and not one in each field. */
const rarely = <T>(typical: readonly T[], edges: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 40, arbitrary: fc.constantFrom(...typical) }, fc.constantFrom(...edges));
const whole = (...typical: number[]) => rarely(typical, [0, 1, 2, -1, 511, 512, 513, 1e6, INT32, -INT32 - 1]);
const unsigned = (...typical: number[]) => rarely(typical, [0, 1, 2, UINT32]);
const NUMBERS = [0, -0, 1, -1, 1 - 2 ** -53, 1 + 2 ** -52, 5e-324, 1e-300, 1e300, 1e308, -1e308];
const real = (...typical: number[]) =>
  rarely(typical, [...NUMBERS, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
const choice = (kind: Readonly<Record<string, number>>) =>
  rarely(
    Object.values(kind).filter((value) => value > 0),
    [0, -1, 99, INT32],
  );
/** As often left out as not. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });

const float = fc.record({
  min: real(0, 1e-6, 0.01),
  max: real(0.5, 1),
  initial: real(0.1, 0.25, 0.5),
  scale: choice(Scale),
  grouping: choice(Grouping),
});
const initials = rarely<number[]>([[]], [[0.1], [0.1, 0.2], [0.1, 0.1], [0, 1, Number.NaN]]);
const goodFloat = fc.record({
  min: fc.constantFrom(0, 1e-6, 5e-324),
  max: fc.constantFrom(0.5, 1),
  initial: fc.constantFrom(0.1, 0.3, 1e-300),
  initials,
  scale: fc.constantFrom(Scale.UNSPECIFIED, Scale.LOGIT, Scale.LINEAR),
  grouping: fc.constantFrom(Grouping.UNSPECIFIED, Grouping.NONE, Grouping.LAYER),
});
const kind = fc.oneof(
  { weight: 6, arbitrary: goodFloat.map((value) => ({ $case: 'float' as const, value })) },
  float.map((value) => ({ $case: 'float' as const, value })),
  real(0.1).map((value) => ({ $case: 'fixed' as const, value: { value } })),
);
const network = fc
  .record({ hiddenUnits: whole(0, 4, 1024), detached: fc.boolean() })
  .map((value) => ({ $case: 'network' as const, value }));
const parameters = fc
  .record({
    lr: kind,
    momentum: maybe(kind),
    weightDecay: maybe(kind),
    classWeights: maybe(kind),
    beta1: fc.oneof({ weight: 40, arbitrary: fc.constant(undefined) }, kind),
    reweighting: maybe(network),
  })
  .map((named) =>
    Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [{ name, kind: value }])),
  );

const NAMES = {
  dataset: Object.keys(DATASETS),
  model: ['mlp', 'logistic'],
  optimizer: ['sgd', 'adam', 'rmsprop'],
};
const bool = fc.constant({ $case: 'bool' as const, value: {} });
const int = (value: { min: number; max: number; step: number }) => ({ $case: 'int' as const, value });
const discrete = (values: number[]) => ({ $case: 'discrete' as const, value: { values } });
const categorical = (values: string[]) => ({ $case: 'categorical' as const, value: { values } });
const numbers = fc.constantFrom(discrete([1]), discrete([2, 8]), int({ min: 1, max: 9, step: 4 }));
const names = (known: readonly string[]) =>
  fc.shuffledSubarray([...known], { minLength: 1 }).map(categorical);
const oddChoice = fc.oneof(
  bool,
  fc.array(real(1, 8), { maxLength: 3 }).map(discrete),
  fc.array(rarely(['mlp', 'sgd'], ['', 'mars', 'x'.repeat(201)]), { maxLength: 3 }).map(categorical),
  fc.record({ min: whole(1, 2), max: whole(2, 16), step: whole(0, 1, 7) }).map(int),
);
/** Mostly left out, and of a kind that fits. */
const seldom = <T>(fitting: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, { weight: 5, arbitrary: fitting }, oddChoice);
const choices = fc.record({
  dataset: seldom(names(NAMES.dataset)),
  model: seldom(names(NAMES.model)),
  optimizer: seldom(names(NAMES.optimizer)),
  batch_size: seldom(numbers),
  validation_examples: seldom(numbers),
  label_noise: seldom(numbers),
  standardize: seldom(bool),
  imbalance_factor: seldom(numbers),
  'augmentation.crop_padding': seldom(numbers),
  'augmentation.horizontal_flip': seldom(bool),
  l2: seldom(numbers),
});

type Requested = Parameters<typeof Study.fromPartial>[0] & { readonly problem: Partial<Problem> };

/** The study with choices, whose fields the problem leaves out, mostly. */
function withChoices(study: object, chosen: Readonly<Record<string, unknown>>, leaveOut: boolean): Study {
  const { problem = Problem.create(), space, ...rest } = Study.fromPartial(study as Requested);
  const parameters = Object.entries(chosen).flatMap(([name, kind]) =>
    kind === undefined ? [] : [{ name, kind } as Parameter],
  );
  const without = parameters.reduce(
    (cleared, { name }) => (leaveOut && problemField(name)?.set(cleared, undefined)) || cleared,
    problem,
  );
  return { ...rest, problem: without, space: { parameters: [...(space?.parameters ?? []), ...parameters] } };
}

const studies = fc.record({
  displayName: fc.oneof(
    { weight: 9, arbitrary: fc.constant('') },
    fc.string({ unit: 'grapheme', maxLength: 220 }),
  ),
  space: fc.record({ parameters }),
  problem: fc.record({
    dataset: fc.constantFrom(...Object.keys(DATASETS)),
    model: fc.constantFrom('logistic', 'mlp', 'lenet', 'wide-resnet-16-2'),
    optimizer: fc.constantFrom('sgd', 'adam'),
    batchSize: whole(2, 16, 128),
    validationExamples: whole(0, 1, 40, 400),
    standardize: maybe(fc.boolean()),
    imbalanceFactor: real(1, 1, 1, 2, 10, 1000),
    labelNoise: real(0, 0, 0.4, 1, 1.5),
    augmentation: maybe(fc.record({ cropPadding: whole(0, 4, 16, 17), horizontalFlip: fc.boolean() })),
  }),
  sampling: maybe(
    fc.record({
      method: choice(SamplingMethod),
      points: whole(0, 0, 1, 3),
      seed: unsigned(0, 7),
      maxRunningTrials: whole(0, 1),
    }),
  ),
  training: fc.record({
    steps: whole(100, 600, 1_000_000),
    seeds: fc.array(unsigned(0, 1, 2), { maxLength: 3 }),
  }),
  method: fc.record({
    estimator: choice(Estimator),
    window: whole(0, 0, 50, 100),
    sigma: whole(0, 0, 5, 20),
    stride: whole(0, 0, 1, 3),
    evaluation: choice(EvaluationPoint),
    averaging: maybe(real(0.9)),
    sensitivityDiscount: real(0, 0, 0.5),
    differentiation: choice(Differentiation),
    reverseSteps: whole(0, 0, 10),
    validationSample: whole(0, 0, 1, 40),
    tangentExamples: maybe(whole(0, 1, 2, 16)),
    cost: maybe(
      fc.oneof(
        fc.record({
          $case: fc.constant('overhead' as const),
          value: fc.constantFrom(0.5, 1, 1.1, 2, 9, Number.NaN),
        }),
        fc.record({ $case: fc.constant('exact' as const), value: fc.boolean() }),
      ),
    ),
    validationSeed: unsigned(0),
    trainings: whole(0, 0, 10),
    interval: whole(...Array<number>(12).fill(0), 70),
    warmupWindows: whole(...Array<number>(12).fill(0), 2),
    warmupWindowSteps: whole(...Array<number>(40).fill(0), 25),
    outer: maybe(
      fc.record({
        rate: maybe(real(0.1)),
        beta1: maybe(real(0.5)),
        beta2: maybe(real(0.5)),
        epsilon: maybe(real(1e-8)),
        normalize: maybe(fc.boolean()),
      }),
    ),
    dmd: maybe(
      fc.record({
        variant: maybe(choice(Variant)),
        delays: maybe(unsigned(2, 3, 10)),
        svdRank: maybe(real(-1, 0, 0.9, 3, UINT32)),
        tolerance: maybe(real(0.1)),
        clip: maybe(real(0.9)),
        ridge: maybe(real(0.01)),
        lastShare: maybe(real(0.8)),
        stride: maybe(unsigned(1)),
        scaling: choice(Scaling),
        selection: choice(Selection),
        anchor: choice(Anchor),
      }),
    ),
  }),
});

/** All that a training process makes of a study before its first step, but for the model. */
function start(study: CompleteStudy): PreparedData {
  const { problem, method, space, training } = study;
  const dataset = catalogue.datasets.find(({ id }) => id === problem.dataset);
  const model = catalogue.models.find(({ info }) => info.id === problem.model);
  if (dataset === undefined || model === undefined) throw new Error('accepted with an unknown name');
  const point = new SearchPoint(space, {
    layers: Array.from({ length: model.size(dataset).layers }, (_, i) => `layer${i}`),
    classes: dataset.classes,
    initialNetwork: (hidden) => new Float32Array(networkSize({ hidden })),
    steps: training.steps,
  });
  for (const { value } of point.values(point.initial, 0)) expect(value).toBeTypeOf('number');
  expect([...point.initial].every(Number.isFinite)).toBe(true);
  chooseDifferentiation(study, point.components.length);
  const examples = examplesOf(DATASETS[problem.dataset] as (typeof DATASETS)[string]);
  const { cropPadding = 0, horizontalFlip: flip = false } = problem.augmentation ?? {};
  const augmentation = cropPadding > 0 || flip ? { cropPadding, flip } : undefined;
  const prepared = prepare(
    { train: examples, test: examples },
    {
      ...problem,
      validationExamples: problem.validationExamples || validationExamples(dataset.trainExamples),
      ...{ seed: training.seeds[0] as number, augmentation },
    },
  );
  prepared.train.at(0);
  if (method.validationSample > 0)
    prepared.validation.sample(method.validationSample, method.validationSeed, 0);
  expect(method.tangentExamples ?? 0).toBeLessThanOrEqual(problem.batchSize);
  return prepared;
}

let accepted = 0;
let differing = 0;

it('each is refused with the fields that are wrong, or can start; at once', () => {
  fc.assert(
    fc.property(studies, choices, rarely([true], [false]), (requested, chosen, leaveOut) => {
      const study = withChoices(requested, chosen, leaveOut);
      const before = process.cpuUsage();
      const { study: complete, violations } = completeStudy(study, catalogue, LIMITS);
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000, 'milliseconds of the processor').toBeLessThan(500);
      if (complete === undefined) {
        for (const { field, description } of violations) {
          expect(field).toMatch(/^(display_name|priority|space|problem|training|method|sampling)\b/);
          expect(description).toMatch(/\w/);
        }
        return;
      }
      accepted += 1;
      expect(completeStudy(complete, catalogue, LIMITS)).toEqual({ study: complete, violations: [] });
      // As the message that is stored and sent to the training process.
      const stored = asComplete(Study.decode(Study.encode(complete).finish()));
      const trials = newTrials('s', stored);
      expect(trials.length).toBeLessThanOrEqual(LIMITS.maxTrials);
      for (const trial of trials.slice(0, 3)) start(studyOfTrial(stored, trial));
      differing += trials[0]?.choices.length ? 1 : 0;
    }),
    { numRuns: 4_000 },
  );
  expect(accepted).toBeGreaterThan(100);
  expect(differing).toBeGreaterThan(30);
});
