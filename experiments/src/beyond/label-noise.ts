/** Two fifths of the training labels are wrong, those for validation are right: weights of examples and smoothed labels, learned. */

import { fixed, float, type Method, network, type ParameterMap } from '@glocal/sdk';
import { armOf, held, learnedRate, spaceOf, startingFrom, type Task } from '../arms.ts';
import { type ControlGrids, controls } from '../controls.ts';
import type { Arm, Experiment, Planned, Size } from '../experiment.ts';

const NOISE = 0.4;

interface Form {
  readonly dataset: string;
  readonly steps: number;
  /** Rates that smoothed labels are tried at. */
  readonly rates: readonly number[];
  /** What somebody might set, at each of these rates. */
  readonly smoothing: readonly number[];
  /** Rates that tuned runs start from. */
  readonly starts: readonly number[];
  readonly controls: ControlGrids;
  readonly network: boolean;
}

const FORMS: Readonly<Record<Size, Form>> = {
  full: {
    ...{ dataset: 'fashion-mnist', steps: 2_000, network: true },
    ...{ rates: [0.1, 0.2], smoothing: [0.3, 0.6], starts: [0.1] },
    controls: {
      ...{ constant: [0.1, 0.2], cooldown: [0.2], peaks: [0.2, 0.4] },
      ...{ scheduleFree: [0.5], asPublished: [], rangeTest: true },
    },
  },
  quick: {
    ...{ dataset: 'fashion-mnist-10k', steps: 200, network: false },
    ...{ rates: [0.1], smoothing: [0.3], starts: [0.1] },
    controls: { constant: [0.1], peaks: [0.2], scheduleFree: [0.5], asPublished: [], prodigy: false },
  },
};

function arms(size: Size): Planned[] {
  const {
    dataset,
    steps,
    rates,
    smoothing: shares,
    starts,
    controls: grids,
    network: hasNetwork,
  } = FORMS[size];
  const task: Task = {
    table: `${dataset}, ${100 * NOISE} % wrong labels, lenet, ${steps} steps`,
    problem: { dataset, model: 'lenet', labelNoise: NOISE },
    steps,
  };
  const still = { momentum: fixed(0.1), weightDecay: fixed(1e-3) };
  const row = (title: string, parameters: ParameterMap, method: Method, from = starts, grid = false): Arm =>
    armOf(task, {
      ...{ title, method, grid, readout: 'averaged', optimizer: 'sgd' },
      space: spaceOf({ lr: learnedRate(from), ...still, ...parameters }),
    });
  const smoothing = float({ min: 0, max: 1, init: 0.1 });
  const reweighting = network({ detached: true });
  const glocal: Method = { estimator: 'glocal' };
  const local: Method = { estimator: 'local' };
  return [
    ...controls(task, grids),
    ...shares.map((share) =>
      row(`FIXED, labels smoothed by ${share}`, { labelSmoothing: fixed(share) }, held(task), rates, true),
    ),
    row('GLOCAL, rate', {}, glocal),
    row('LOCAL, rate and smoothing', { labelSmoothing: smoothing }, local),
    row('GLOCAL, rate and smoothing', { labelSmoothing: smoothing }, glocal),
    // As studies are by default.
    armOf(task, {
      ...{ title: 'GLOCAL, rate and smoothing, Schedule-Free SGD', readout: 'averaged', method: glocal },
      ...{ optimizer: 'schedule-free' },
      space: spaceOf({ ...startingFrom('schedule-free', starts).parameters, labelSmoothing: smoothing }),
    }),
    ...(hasNetwork
      ? [
          row('LOCAL, rate and reweighting network, detached', { reweighting }, local),
          row('GLOCAL, rate and reweighting network, detached', { reweighting }, glocal),
        ]
      : []),
  ];
}

export const labelNoiseFashionMnist: Experiment = {
  description: 'two fifths of the labels wrong: example weights and label smoothing, learned and in grids',
  seeds: { full: 3, quick: 1 },
  datasets: { full: ['fashion-mnist'], quick: [] },
  shortened: [
    '200 inner steps in place of 2,000, the 10,000 examples that come with Glocal in place of 60,000, one rate in place of two, grids of ' +
      'one, one seed in place of three, and no reweighting network.',
  ],
  arms: ({ size }) => arms(size),
};
