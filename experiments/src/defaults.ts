/**
 * The experiments that the defaults of studies rest on; protocol and results are in docs/defaults.md. Settings are chosen by
 * `defaults-choice`, on Fashion-MNIST alone, before `defaults` runs.
 */

import type { Method } from '@glocal/sdk';
import { armOf, cosine, held, type Optimizer, startingFrom, type Task } from './arms.ts';
import { CONTROL_GRIDS, type ControlGrids, controls } from './controls.ts';
import type { Arm, Experiment, Planned, Size } from './experiment.ts';

const STARTS = [0.001, 0.01, 0.1, 1];

/** Without a size, mini-batches are as large as by default. */
function taskOf(dataset: string, model: string, steps: number, batchSize?: number): Task {
  return {
    table: `${dataset}, ${model}, ${steps} steps`,
    problem: { dataset, model, ...(batchSize !== undefined && { batchSize }) },
    steps,
  };
}

interface Row extends Pick<Arm, 'title' | 'seeds' | 'grid'> {
  readonly optimizer: Optimizer;
  readonly method: Method;
  /** @default STARTS */
  readonly starts?: readonly number[];
}

const startedAt = (task: Task, { starts = STARTS, ...row }: Row): Arm =>
  armOf(task, { ...row, space: startingFrom(row.optimizer, starts), readout: 'averaged' });

const cosines = (task: Task, peaks: readonly number[]): Arm[] =>
  peaks.map((start) =>
    armOf(task, {
      ...{ title: 'SGD, cosine', start, grid: true, readout: 'last', optimizer: 'sgd' },
      ...{ space: cosine(start, task.steps), method: held(task) },
    }),
  );

/** Windows that the second derivatives of 32 of 128 examples go into, seven of their hypergradients. */
const sparse = (warmupWindows: number, interval: number): Method => ({
  estimator: 'glocal',
  stride: 3,
  tangentExamples: 32,
  validationSample: 1_000,
  warmupWindows,
  interval,
});

const LIVELY = { beta1: 0.7, beta2: 0.9, rate: 0.6, schedule: 'cosine', maxLossRise: 0.3 } as const;

/** Inner steps that claims are made for. */
const CLAIMED_STEPS = 4_000;
const CHOICE = taskOf('fashion-mnist', 'lenet', 2_000);

/** Shorter windows, on less of everything, and more of them. */
const cheap = (window: number, warmupWindows: number, interval: number): Method => ({
  ...sparse(warmupWindows, interval),
  window,
  tangentExamples: 16,
  validationSample: 500,
});

/** Short ones at first, and then of 50 steps. */
const mixed = (warmupWindows: number, interval: number): Method => ({
  ...cheap(50, warmupWindows, interval),
  warmupWindowSteps: 25,
});

/** What could be the default. */
export const defaultsChoice: Experiment = {
  description: 'which outer optimizer and which windows become the default, on Fashion-MNIST',
  seeds: { full: 1 },
  datasets: { full: ['fashion-mnist'] },
  arms: () =>
    (
      [
        { title: 'calm outer Adam', method: sparse(6, 350) },
        { title: 'lively', method: { ...sparse(6, 350), outer: LIVELY } },
        { title: 'lively, cheap windows of 25', method: { ...cheap(25, 12, 175), outer: LIVELY } },
        { title: 'fixed', method: held(CHOICE) },
      ] satisfies readonly Omit<Row, 'optimizer'>[]
    ).map((row) => startedAt(CHOICE, { ...row, optimizer: 'schedule-free' })),
};

/** The same with as many steps as it is claimed for. */
export const defaultsLength: Experiment = {
  description: 'which lengths of windows, on Fashion-MNIST',
  seeds: { full: 1 },
  datasets: { full: ['fashion-mnist'] },
  arms: () =>
    (
      [
        { title: 'normalised, mixed', method: { ...mixed(12, 460), outer: { ...LIVELY, normalize: true } } },
        { title: 'mixed', method: { ...mixed(12, 460), outer: LIVELY } },
        { title: 'normalised, 50', method: { ...cheap(50, 9, 590), outer: { ...LIVELY, normalize: true } } },
      ] satisfies readonly Omit<Row, 'optimizer'>[]
    ).map((row) =>
      startedAt(taskOf('fashion-mnist', 'lenet', CLAIMED_STEPS), {
        ...row,
        optimizer: 'schedule-free',
        starts: [0.001, 0.01, 0.1],
      }),
    ),
};

/** The default of other optimizers, at other costs and lengths, for a perceptron on a table. */
export const defaultsWide: Experiment = {
  description: 'the default of every optimizer, at several costs and lengths, for a perceptron on a table',
  seeds: { full: 3 },
  datasets: { full: ['letters'] },
  arms: () =>
    [2_000, 4_000, 8_000].flatMap((steps) => {
      const task = taskOf('letters', 'mlp', steps);
      const tuned = (title: string, optimizer: Optimizer, method: Partial<Method> = {}): Arm =>
        startedAt(task, { title, optimizer, method: { estimator: 'glocal', ...method } });
      const arms = [
        tuned('schedule-free, tuned: the default', 'schedule-free'),
        ...cosines(task, [0.1, 0.2, 0.4]),
        startedAt(task, {
          title: 'schedule-free, constant',
          grid: true,
          optimizer: 'schedule-free',
          method: held(task),
          starts: [...STARTS, 0.5],
        }),
      ];
      if (steps !== CLAIMED_STEPS) return arms;
      const costs = ['exact', 2, 1.5, 1.25, 1.1] as const;
      return [
        ...arms,
        ...(['sgd', 'adamw', 'schedule-free-adamw'] as const).flatMap((optimizer) => [
          tuned(`${optimizer}, tuned: the default`, optimizer),
          startedAt(task, { title: `${optimizer}, constant`, optimizer, method: held(task) }),
        ]),
        ...costs.map((overhead) =>
          tuned(`schedule-free, tuned at ${overhead}`, 'schedule-free', { overhead }),
        ),
      ];
    }),
};

/** A wide network in a training that has room for few windows. */
export const defaultsShort: Experiment = {
  description: 'the default on a wide residual network, in a short training',
  seeds: { full: 1 },
  datasets: { full: ['cifar10'] },
  arms: () => {
    const task = taskOf('cifar10', 'wide-resnet-16-2', 200, 32);
    return [
      startedAt(task, {
        title: 'schedule-free, tuned: the default',
        optimizer: 'schedule-free',
        method: { estimator: 'glocal' },
        starts: [0.01, 0.1],
      }),
      startedAt(task, {
        title: 'schedule-free, constant',
        grid: true,
        optimizer: 'schedule-free',
        method: held(task),
        starts: [0.01, 0.1, 0.5],
      }),
      ...cosines(task, [0.2]),
    ];
  },
};

/** The default from each start, beside all that somebody might have set. */
const comparison = (task: Task, grids: ControlGrids): Planned[] => [
  startedAt(task, {
    ...{ title: 'Schedule-Free SGD, tuned: the default', method: { estimator: 'glocal' } },
    optimizer: 'schedule-free',
  }),
  ...controls(task, grids),
  startedAt(task, {
    ...{ title: 'Schedule-Free SGD, constant at bad starts', method: held(task) },
    ...{ optimizer: 'schedule-free', starts: [0.001, 0.01], seeds: 1 },
  }),
];

const CLAIMS: Readonly<Record<Size, { datasets: readonly string[]; steps: number; controls: ControlGrids }>> =
  {
    full: { datasets: ['fashion-mnist', 'cifar10'], steps: CLAIMED_STEPS, controls: CONTROL_GRIDS },
    quick: {
      ...{ datasets: ['fashion-mnist-10k'], steps: CLAIMED_STEPS / 10 },
      controls: { constant: [0.1], peaks: [0.2], scheduleFree: [0.5], asPublished: [], prodigy: false },
    },
  };

const tasksOf = (size: Size): Task[] =>
  CLAIMS[size].datasets.map((dataset) => taskOf(dataset, 'lenet', CLAIMS[size].steps));

/** What is claimed of the default. */
export const defaults: Experiment = {
  description: 'the default against schedules and constant rates, on Fashion-MNIST and CIFAR-10',
  seeds: { full: 3, quick: 1 },
  datasets: { full: CLAIMS.full.datasets, quick: [] },
  shortened: [
    '400 inner steps in place of 4,000, one seed in place of three, the 10,000 examples of Fashion-MNIST that come with Glocal alone, ' +
      'and grids of one.',
  ],
  arms: ({ size }) => tasksOf(size).flatMap((task) => comparison(task, CLAIMS[size].controls)),
};
