/** Estimators in the loop that studies have by default, trained to the end: whether what predicts better trains better. */

import type { Method } from '@glocal/sdk';
import { armOf, held, startingFrom, type Task } from '../arms.ts';
import type { Arm, Experiment, Findings, Lab, Size } from '../experiment.ts';
import { type IntervalPoint, intervalFigures } from '../figures/intervals.ts';
import type { Finished } from '../outcome.ts';
import { pairedDifferences, pairedTable } from '../report/paired.ts';

interface Form {
  readonly problems: readonly {
    readonly dataset: string;
    readonly model: string;
    readonly steps: number;
  }[];
  /** Rates that every row starts from. */
  readonly starts: readonly number[];
}

const FORMS: Readonly<Record<Size, Form>> = {
  full: {
    problems: [
      { dataset: 'letters', model: 'mlp', steps: 4_000 },
      { dataset: 'fashion-mnist', model: 'lenet', steps: 2_000 },
    ],
    starts: [0.001, 0.01, 0.1, 1],
  },
  quick: { problems: [{ dataset: 'fashion-mnist-10k', model: 'mlp', steps: 1_000 }], starts: [0.01, 1] },
};

const DEFAULT = 'GLOCAL, AFFINE: the default';
const METHODS: readonly (readonly [title: string, method: Method])[] = [
  [DEFAULT, { estimator: 'glocal' }],
  ['LOCAL', { estimator: 'local' }],
  ['MEAN', { estimator: 'mean' }],
  ['MEDIAN', { estimator: 'median' }],
  ['GLOCAL, HANKEL, m 2', { estimator: 'glocal', dmd: { variant: 'hankel' } }],
  // A study that sets `tangentExamples` has no default cost any more: this asks for that of long trainings.
  ['LOCAL without second derivatives', { estimator: 'local', tangentExamples: 0, overhead: 1.35 }],
  ['GLOCAL, AFFINE, at the last weights', { estimator: 'glocal', evaluation: 'last_iterate' }],
  ['LOCAL, at the last weights', { estimator: 'local', evaluation: 'last_iterate' }],
];

function arms(size: Size): Arm[] {
  const { problems, starts } = FORMS[size];
  return problems.flatMap(({ steps, ...problem }) => {
    const task: Task = { table: `${problem.dataset}, ${problem.model}, ${steps} steps`, problem, steps };
    const rows = [...METHODS, ['FIXED', held(task)] as const];
    return rows.map(([title, method]) =>
      armOf(task, {
        ...{ title, method, optimizer: 'schedule-free', readout: 'averaged' },
        space: startingFrom('schedule-free', starts),
      }),
    );
  });
}

export const estimatorsCompared: Experiment = {
  description: "estimators in the default's loop, trained to the end, less the default from the same starts",
  seeds: { full: 3, quick: 1 },
  datasets: { full: FORMS.full.problems.map(({ dataset }) => dataset), quick: [] },
  shortened: [
    'A perceptron on the 10,000 images that come with Glocal for 1,000 steps in place of one on a table for 4,000 and LeNet for 2,000, two ' +
      'starts in place of four, one seed in place of three. In so short a training the row without second derivatives has fewer windows than the others.',
  ],
  arms: ({ size }) => arms(size),
  analyse: lessTheDefault,
};

async function lessTheDefault({ note }: Pick<Lab, 'note'>, finished: readonly Finished[]): Promise<Findings> {
  const byTable = [...Map.groupBy(finished, ({ arm }) => arm.table)];
  const compared = byTable.flatMap(([title, rows]) => {
    const reference = rows.find(({ arm }) => arm.title === DEFAULT);
    if (reference === undefined) note(`${title}: there are no differences without the row "${DEFAULT}"`);
    const others = rows.filter((row) => row !== reference);
    if (reference === undefined) return [];
    const tuned = new Set(others.filter(({ arm }) => arm.tuned).map(({ arm }) => arm.title));
    return [{ title, tuned, differences: pairedDifferences(reference, others) }];
  });
  // Where nothing is tuned differences are so large that no other could be seen beside them.
  const points: IntervalPoint[] = compared.flatMap(({ title: panel, tuned, differences }) =>
    differences.flatMap(({ title, difference }) => {
      if (difference?.interval === undefined || !tuned.has(title)) return [];
      const [low, high] = difference.interval;
      return [{ panel, title, value: 100 * difference.mean, low: 100 * low, high: 100 * high }];
    }),
  );
  return {
    tables: compared.map(({ title, differences }) => pairedTable(title, DEFAULT, differences)),
    figures: await intervalFigures(
      'less-the-default',
      'Estimators in the same loop',
      'test accuracy less that of the default, in points, 95 % of means',
      points,
    ),
  };
}
