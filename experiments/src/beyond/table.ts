/** A perceptron on a table: an L2 penalty for each layer, learned, against one for all and against grids. */

import { fixed } from '@glocal/sdk';
import { armOf, held, spaceOf, type Task } from '../arms.ts';
import type { ControlGrids } from '../controls.ts';
import type { Experiment, Planned, Size } from '../experiment.ts';
import { LEARNED_DECAY, LEARNED_RATE, vectorRows } from './vectors.ts';

const DATASET = 'letters';
const STEPS: Readonly<Record<Size, number>> = { full: 2_000, quick: 500 };
const STARTS: Readonly<Record<Size, readonly number[]>> = { full: [0.1, 1], quick: [0.1] };
/** Around 1, where a perceptron on standardised columns trains best. */
const GRIDS: Readonly<Record<Size, ControlGrids>> = {
  full: {
    constant: [0.3, 1, 3],
    cooldown: [1, 3],
    peaks: [1, 3],
    scheduleFree: [1, 5],
    asPublished: [],
    rangeTest: true,
  },
  quick: { constant: [1], peaks: [1], scheduleFree: [1], asPublished: [] },
};
/** Of the penalty, at a rate of 1. */
const PENALTIES: Readonly<Record<Size, readonly number[]>> = {
  full: [1e-5, 1e-4, 1e-3],
  quick: [1e-4],
};

function arms(size: Size): Planned[] {
  const task: Task = {
    table: `${DATASET}, mlp, ${STEPS[size]} steps`,
    problem: { dataset: DATASET, model: 'mlp' },
    steps: STEPS[size],
  };
  const learned = { lr: LEARNED_RATE(STARTS[size]), l2: { ...LEARNED_DECAY, init: 1e-4 } };
  const others = { momentum: fixed(0.1), weightDecay: fixed(0) };
  return [
    ...vectorRows({ task, learned, others, grids: GRIDS[size] }),
    ...PENALTIES[size].map((penalty) =>
      armOf(task, {
        ...{ title: `FIXED, one L2 of ${penalty}`, start: 1, grid: true, readout: 'averaged' },
        ...{ optimizer: 'sgd', method: held(task) },
        space: spaceOf({ lr: fixed(1), l2: fixed(penalty), ...others }),
      }),
    ),
  ];
}

export const table: Experiment = {
  description: 'a perceptron on a table that you bring: a penalty for each layer, against one for all',
  seeds: { full: 3, quick: 1 },
  datasets: { full: [DATASET] },
  shortened: [
    '500 inner steps in place of 2,000, one start in place of two, grids of one, one seed in place of three.',
  ],
  arms: ({ size }) => arms(size),
};
