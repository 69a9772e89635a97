/** Two fifths of the training labels are wrong, those for validation are right: weights of examples and smoothed labels, learned. */

import { fixed, float, type Method, network, type ParameterMap } from '@glocal/sdk';
import { armOf, held, spaceOf, type Task } from '../arms.ts';
import { controls } from '../controls.ts';
import type { Arm, Experiment, Size } from '../experiment.ts';
import { GRIDS } from './per-layer.ts';

const NOISE = 0.4;
const STEPS: Readonly<Record<Size, number>> = { full: 4_000, quick: 200 };
const RATES: Readonly<Record<Size, readonly number[]>> = { full: [0.05, 0.1, 0.2], quick: [0.1] };
/** What somebody might set, at the rates of the grid. */
const SMOOTHING: Readonly<Record<Size, readonly number[]>> = { full: [0.1, 0.3, 0.5], quick: [0.3] };
const rate = (starts: readonly number[]) => float({ min: 1e-5, max: 10, scale: 'log', init: starts });

function arms(size: Size): Arm[] {
  const task: Task = {
    table: `fashion-mnist, ${100 * NOISE} % wrong labels, lenet, ${STEPS[size]} steps`,
    problem: { dataset: 'fashion-mnist', model: 'lenet', labelNoise: NOISE },
    steps: STEPS[size],
  };
  const rates = RATES[size];
  const still = { momentum: fixed(0.1), weightDecay: fixed(1e-3) };
  const row = (title: string, parameters: ParameterMap, method: Method, grid = false): Arm =>
    armOf(task, {
      ...{ title, method, grid, readout: 'averaged', optimizer: 'sgd' },
      space: spaceOf({ lr: rate(rates), ...still, ...parameters }),
    });
  const smoothing = float({ min: 0, max: 1, init: 0.1 });
  const glocal: Method = { estimator: 'glocal' };
  return [
    ...controls(task, GRIDS[size]),
    ...SMOOTHING[size].map((share) =>
      row(`FIXED, labels smoothed by ${share}`, { labelSmoothing: fixed(share) }, held(task), true),
    ),
    row('GLOCAL, rate', {}, glocal),
    row('LOCAL, rate and smoothing', { labelSmoothing: smoothing }, { estimator: 'local' }),
    row('GLOCAL, rate and smoothing', { labelSmoothing: smoothing }, glocal),
    ...(size === 'full'
      ? [
          row('LOCAL, rate and reweighting network', { reweighting: network() }, { estimator: 'local' }),
          row('GLOCAL, rate and reweighting network', { reweighting: network() }, glocal),
        ]
      : []),
  ];
}

export const labelNoiseFashionMnist: Experiment = {
  description: 'two fifths of the labels wrong: example weights and label smoothing, learned and in grids',
  seeds: { full: 3, quick: 1 },
  datasets: { full: ['fashion-mnist'] },
  shortened: [
    '200 inner steps in place of 4,000, one rate in place of three, grids of one, one seed in place of three, and no reweighting ' +
      'network.',
  ],
  arms: ({ size }) => arms(size),
};
