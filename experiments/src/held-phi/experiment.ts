/**
 * `held-phi`: how well each estimator predicts where the hypergradient goes while the hyperparameters stay where they are, on data that
 * no setting was chosen on.
 */

import { GlocalEstimator, type Method } from '@glocal/sdk';
import { armOf, type Optimizer, startingFrom } from '../arms.ts';
import type { Arm, Experiment, Findings, Lab, Size } from '../experiment.ts';
import { type IntervalPoint, intervalFigures } from '../figures/intervals.ts';
import type { Finished } from '../outcome.ts';
import type { Table } from '../report/table.ts';
import type { Analyze } from './candidates.ts';
import { startDmd } from './dmd-service.ts';
import { estimateTable, scored, verdictTable } from './tables.ts';
import { type HeldWindow, LENGTH, RECORDED, windowsOf } from './windows.ts';

interface Form {
  readonly places: readonly Place[];
  /** Which of a place's rates are trained with. */
  readonly starts: (all: readonly number[]) => readonly number[];
  readonly problems: readonly { readonly dataset: string; readonly model: string }[];
  readonly steps: number;
}

/** So small that the values stay where they are. */
const STILL = 1e-9;
/** Examples of a validation gradient: there are hundreds of them in a window. */
const VALIDATION = 500;

/** Where hypergradients are taken. */
interface Place {
  readonly title: string;
  readonly optimizer: Optimizer;
  readonly starts: readonly number[];
  readonly evaluation: NonNullable<Method['evaluation']>;
  /** β of the running average, in a training of that many steps. */
  readonly averaging?: (steps: number) => number;
  /** Outer rate between windows. @default STILL */
  readonly rate?: number;
}

const RATES = [0.01, 0.1, 0.3];
const SHORTER = 'SGD, averaged over 1 % of the training';
/** What a training has seen at other φ can say something of this one. */
const MOVED = 'SGD, averaged weights, φ moved between windows';
const PLACES: readonly Place[] = [
  { title: 'SGD, last weights', optimizer: 'sgd', starts: RATES, evaluation: 'last_iterate' },
  {
    title: 'SGD, averaged weights',
    optimizer: 'sgd',
    starts: RATES,
    evaluation: 'averaged',
    averaging: () => 0.98,
  },
  {
    title: SHORTER,
    ...{ optimizer: 'sgd', starts: RATES, evaluation: 'averaged' },
    averaging: (steps) => 1 - 100 / steps,
  },
  {
    title: MOVED,
    ...{ optimizer: 'sgd', starts: RATES, evaluation: 'averaged', rate: 0.3 },
    averaging: () => 0.98,
  },
  {
    title: "Schedule-Free SGD, the run's average",
    ...{ optimizer: 'schedule-free', starts: [0.05, 0.5, 2], evaluation: 'averaged' },
  },
];

const FORMS: Readonly<Record<Size, Form>> = {
  full: {
    places: PLACES,
    starts: (all) => all,
    problems: [
      { dataset: 'letters', model: 'mlp' },
      { dataset: 'mnist', model: 'lenet' },
      { dataset: 'cifar10', model: 'lenet' },
    ],
    steps: 1_000,
  },
  quick: {
    places: PLACES.filter(({ title }) => ![SHORTER, MOVED].includes(title)),
    starts: (all) => all.slice(1),
    problems: [{ dataset: 'fashion-mnist-10k', model: 'mlp' }],
    steps: 500,
  },
};

function arms(size: Size): Arm[] {
  const { places, problems, steps, starts: chosen } = FORMS[size];
  return places.flatMap(({ title, optimizer, starts, evaluation, averaging, rate = STILL }) =>
    problems.map((problem) =>
      armOf(
        { table: title, problem, steps },
        {
          ...{ title: `${problem.dataset}, ${problem.model}`, readout: 'averaged', optimizer },
          space: startingFrom(optimizer, chosen(starts)),
          method: {
            ...{ estimator: 'mean', window: LENGTH, sigma: RECORDED, stride: 1, evaluation },
            ...(averaging !== undefined && { averaging: averaging(steps) }),
            validationSample: VALIDATION,
            outer: { rate, maxLossRise: 0, normalize: false },
          },
        },
      ),
    ),
  );
}

export const heldPhi: Experiment = {
  description: 'how well each estimator predicts where the hypergradient goes while φ is held',
  seeds: { full: 3, quick: 2 },
  datasets: { full: FORMS.full.problems.map(({ dataset }) => dataset), quick: [] },
  shortened: [
    'One problem, a perceptron on the 10,000 examples of Fashion-MNIST that come with Glocal, in place of three on which nothing was chosen; two ' +
      'rates of three, 500 steps in place of 1,000, two seeds in place of three, and not the average over 1 % of the training.',
  ],
  arms: ({ size }) => arms(size),
  analyse,
};

async function analyse(lab: Lab, finished: readonly Finished[]): Promise<Findings> {
  await using cleanUp = new AsyncDisposableStack();
  const service = await startDmd();
  cleanUp.defer(() => service.stop());
  const estimator = cleanUp.use(new GlocalEstimator({ address: service.address }));
  const analyze: Analyze = (rows, options) => estimator.analyze(rows, { ...options, signal: lab.signal });
  const tables: Table[] = [];
  const points: IntervalPoint[] = [];
  for (const place of PLACES) {
    const windows: HeldWindow[] = [];
    let unusable = 0;
    for (const arm of finished.filter(({ arm: { table } }) => table === place.title)) {
      const averaging = place.averaging?.(arm.steps);
      const found = await windowsOf(lab.client, arm, averaging, lab.signal);
      windows.push(...found.windows);
      unusable += found.unusable;
    }
    if (windows.length === 0) continue;
    const rows = await scored(windows, analyze);
    const said = `${windows.length} windows of ${new Set(windows.map(({ run }) => run)).size} trainings, ${unusable} unusable`;
    lab.note(`${place.title}: ${said}`);
    tables.push(estimateTable(place.title, said, rows), await verdictTable(place.title, windows, analyze));
    points.push(
      ...rows.flatMap(({ title, cosineGain }) =>
        cosineGain ? [{ panel: place.title, title, ...cosineGain }] : [],
      ),
    );
  }
  const figures = await intervalFigures(
    'cosine-against-last',
    'Where the hypergradient goes, φ held',
    'cosine of the estimate less that of LAST, 95 % of resampled trainings',
    points,
  );
  return { tables, figures };
}
