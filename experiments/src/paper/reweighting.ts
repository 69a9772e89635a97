/** Section 4.2 of the paper: a small network weighs examples by their losses, on imbalanced CIFAR (Table 3). */

import { fixed, network, type ParameterMap, type Space } from '@glocal/sdk';
import { armOf, held, spaceOf, type Task } from '../arms.ts';
import { classSizes, inverseFrequency } from '../beyond/classes.ts';
import { CONTROL_GRIDS, controls } from '../controls.ts';
import { hankel, PAPER, type PaperLoop, paperMethod } from '../estimators.ts';
import type { Arm, Experiment, Planned, Size } from '../experiment.ts';
import type { Finished } from '../outcome.ts';
import { meanPercent } from '../report/statistics.ts';
import type { Table } from '../report/table.ts';

/** What one of these experiments is about. */
interface Subject {
  readonly dataset: string;
  readonly classes: number;
  readonly imbalanceFactor: number;
  readonly published: Published;
}

/** Share of the test set, of the paper's Table 3. */
interface Published {
  readonly local: number;
  readonly glocal: number;
}

const LOOPS: Readonly<Record<Size, PaperLoop>> = {
  full: { ...PAPER, rate: 0.01 },
  quick: { window: 20, sigma: 4, delays: 2, validationSample: 50, rate: 0.01 },
};
const SIZES = {
  full: { steps: 20_000, batchSize: 128, validationExamples: 1_000 },
  quick: { steps: 300, batchSize: 16, validationExamples: 200 },
} as const;

const SGD = { lr: fixed(0.01), momentum: fixed(0.9), weightDecay: fixed(0) };
const LOCAL = 'LOCAL';
const GLOCAL = "GLOCAL, the paper's HANKEL";

/** `detached` is how Meta-Weight-Net takes the weight, as a constant of the inner loss; the paper does not say which it takes. */
const weighed = (detached: boolean): Space<ParameterMap> =>
  spaceOf({ ...SGD, reweighting: network({ hiddenUnits: 128, detached }) });

/** Training examples of CIFAR-10 and of CIFAR-100, with those for validation. */
const EXAMPLES = 50_000;

function arms({ dataset, classes, imbalanceFactor }: Subject, size: Size): Planned[] {
  const { steps, batchSize, validationExamples } = SIZES[size];
  const loop = LOOPS[size];
  const task: Task = {
    table: `${dataset}, imbalance ${imbalanceFactor}, ${steps} steps`,
    problem: { dataset, model: 'wide-resnet-16-2', batchSize, validationExamples, imbalanceFactor },
    steps,
  };
  const sgd = { optimizer: 'sgd', readout: 'last' } as const;
  const rows = (detached: boolean): Arm[] => {
    const suffix = detached ? ', detached' : '';
    return [
      armOf(task, {
        ...{ ...sgd, title: `${LOCAL}${suffix}`, space: weighed(detached) },
        method: paperMethod(loop, 'local', 'last_iterate'),
      }),
      armOf(task, {
        ...{ ...sgd, title: `${GLOCAL}${suffix}`, space: weighed(detached) },
        method: paperMethod(loop, 'glocal', 'last_iterate', hankel(loop)),
      }),
    ];
  };
  const sizes = classSizes((EXAMPLES - validationExamples) / classes, classes, imbalanceFactor);
  const classWeights = fixed(inverseFrequency(sizes), { per: 'class' });
  const title = 'inverse frequency';
  return [
    armOf(task, { ...sgd, title: 'no weights', space: spaceOf(SGD), method: held(task) }),
    armOf(task, { ...sgd, title, space: spaceOf({ ...SGD, classWeights }), method: held(task) }),
    ...rows(false),
    ...(size === 'full'
      ? [
          ...rows(true),
          ...controls(task),
          ...controls(task, CONTROL_GRIDS, { title: `, ${title}`, parameters: { classWeights } }),
        ]
      : []),
  ];
}

function besideThePaper({ local, glocal }: Published, finished: readonly Finished[]): Table {
  const row = (title: string, published: number): string[] => {
    const trials = finished.find(({ arm }) => arm.title === title)?.trials ?? [];
    const values = trials.flatMap(({ accuracy }) => accuracy ?? []);
    return [title, values.length === 0 ? '–' : meanPercent(values), (100 * published).toFixed(1)];
  };
  return {
    id: 'beside-the-paper',
    title: "Test accuracy in %, beside the paper's Table 3",
    columns: ['', 'here', 'paper'],
    rows: [row(LOCAL, local), row(GLOCAL, glocal)],
  };
}

const experiment = (subject: Subject): Experiment => ({
  description: `the paper's Table 3: examples weighed by their losses, ${subject.dataset} with an imbalance of ${subject.imbalanceFactor}`,
  seeds: { full: 3, quick: 1 },
  datasets: { full: [subject.dataset] },
  shortened: [
    '300 inner steps on batches of 16 in place of 20,000 on 128, windows of 20 steps and 4 hypergradients in place of 50 and 20, each on 50 examples, ' +
      'one seed, no detached weights, and no grids of controls.',
  ],
  arms: ({ size }) => arms(subject, size),
  analyse: async (_lab, finished) => ({
    tables: [besideThePaper(subject.published, finished)],
    figures: [],
  }),
});

export const reweightingCifar10By50 = experiment({
  ...{ dataset: 'cifar10', classes: 10, imbalanceFactor: 50 },
  published: { local: 0.605, glocal: 0.71 },
});
export const reweightingCifar10By100 = experiment({
  ...{ dataset: 'cifar10', classes: 10, imbalanceFactor: 100 },
  published: { local: 0.565, glocal: 0.665 },
});
export const reweightingCifar100By50 = experiment({
  ...{ dataset: 'cifar100', classes: 100, imbalanceFactor: 50 },
  published: { local: 0.28, glocal: 0.315 },
});
