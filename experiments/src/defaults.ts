/**
 * The experiments that the defaults of studies rest on; protocol and results are in docs/defaults.md. Settings are chosen by
 * `defaults-choice`, on Fashion-MNIST alone, before `defaults` runs.
 */

import type { Method, Problem } from '@glocal/sdk';
import { cosine, type Optimizer, startingFrom } from './arms.ts';
import type { Arm, Experiment } from './experiment.ts';

const STARTS = [0.001, 0.01, 0.1, 1];

/** What is trained, with how many steps. */
interface Task {
  readonly dataset: string;
  readonly model: string;
  readonly steps: number;
  /** Examples of a mini-batch, where they are not as many as by default. */
  readonly batchSize?: number;
}

const problem = ({ dataset, model, batchSize }: Task, optimizer: Optimizer): Problem => ({
  dataset,
  model,
  optimizer,
  ...(batchSize !== undefined && { batchSize }),
});

const tableOf = ({ dataset, model, steps }: Task): string => `${dataset}, ${model}, ${steps} steps`;

interface Row {
  readonly title: string;
  readonly optimizer: Optimizer;
  readonly method: Method;
  readonly starts?: readonly number[];
  readonly seeds?: number;
  readonly grid?: boolean;
}

const armOf = (task: Task, { title, optimizer, method, starts = STARTS, seeds, grid }: Row): Arm => ({
  ...(seeds !== undefined && { seeds }),
  ...(grid !== undefined && { grid }),
  id: `${tableOf(task)}: ${title}`,
  table: tableOf(task),
  title,
  spec: {
    space: startingFrom(optimizer, starts),
    problem: problem(task, optimizer),
    training: { steps: task.steps },
    method,
  },
  readout: 'averaged',
});

/** Nothing moves; figures are taken ten times. */
const fixed = ({ steps }: Task): Method => ({ estimator: 'fixed', window: steps / 10 });

const cosines = (task: Task, peaks: readonly number[]): Arm[] =>
  peaks.map((peak) => ({
    id: `${tableOf(task)}: cosine ${peak}`,
    table: tableOf(task),
    title: 'SGD, cosine',
    spec: {
      space: cosine(peak, task.steps),
      problem: problem(task, 'sgd'),
      training: { steps: task.steps },
      method: fixed(task),
    },
    start: peak,
    grid: true,
    readout: 'last',
  }));

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
const CHOICE: Task = { dataset: 'fashion-mnist', model: 'lenet', steps: 2_000 };

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
        { title: 'fixed', method: fixed(CHOICE) },
      ] satisfies readonly Omit<Row, 'optimizer'>[]
    ).map((row) => armOf(CHOICE, { ...row, optimizer: 'schedule-free' })),
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
      armOf(
        { ...CHOICE, steps: CLAIMED_STEPS },
        { ...row, optimizer: 'schedule-free', starts: [0.001, 0.01, 0.1] },
      ),
    ),
};

const comparison = (task: Task): Arm[] => [
  armOf(task, {
    title: 'Schedule-Free, tuned: the default',
    optimizer: 'schedule-free',
    method: { estimator: 'glocal' },
    starts: [0.001, 0.01, 0.1],
  }),
  ...cosines(task, [0.1, 0.2, 0.4]),
  armOf(task, {
    title: 'Schedule-Free, constant',
    grid: true,
    optimizer: 'schedule-free',
    method: fixed(task),
    starts: [0.1, 0.5, 1],
  }),
  armOf(task, {
    title: 'Schedule-Free, constant at bad starts',
    optimizer: 'schedule-free',
    method: fixed(task),
    starts: [0.001, 0.01],
    seeds: 1,
  }),
  armOf(task, {
    title: 'Schedule-Free, tuned: the default, from too high',
    optimizer: 'schedule-free',
    method: { estimator: 'glocal' },
    starts: [1],
    seeds: 1,
  }),
];

/** The default of other optimizers, at other costs and lengths, for a perceptron on a table. */
export const defaultsWide: Experiment = {
  description: 'the default of every optimizer, at several costs and lengths, for a perceptron on a table',
  seeds: { full: 3 },
  datasets: { full: ['letters'] },
  arms: () =>
    [2_000, 4_000, 8_000].flatMap((steps) => {
      const task = { dataset: 'letters', model: 'mlp', steps };
      const tuned = (title: string, optimizer: Optimizer, method: Partial<Method> = {}): Arm =>
        armOf(task, { title, optimizer, method: { estimator: 'glocal', ...method } });
      const arms = [
        tuned('schedule-free, tuned: the default', 'schedule-free'),
        ...cosines(task, [0.1, 0.2, 0.4]),
        armOf(task, {
          title: 'schedule-free, constant',
          grid: true,
          optimizer: 'schedule-free',
          method: fixed(task),
          starts: [...STARTS, 0.5],
        }),
      ];
      if (steps !== CLAIMED_STEPS) return arms;
      const costs = ['exact', 2, 1.5, 1.25, 1.1] as const;
      return [
        ...arms,
        ...(['sgd', 'adamw', 'schedule-free-adamw'] as const).flatMap((optimizer) => [
          tuned(`${optimizer}, tuned: the default`, optimizer),
          armOf(task, { title: `${optimizer}, constant`, optimizer, method: fixed(task) }),
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
    const task = { dataset: 'cifar10', model: 'wide-resnet-16-2', steps: 200, batchSize: 32 };
    return [
      armOf(task, {
        title: 'schedule-free, tuned: the default',
        optimizer: 'schedule-free',
        method: { estimator: 'glocal' },
        starts: [0.01, 0.1],
      }),
      armOf(task, {
        title: 'schedule-free, constant',
        grid: true,
        optimizer: 'schedule-free',
        method: fixed(task),
        starts: [0.01, 0.1, 0.5],
      }),
      ...cosines(task, [0.2]),
    ];
  },
};

/** What is claimed of the default. */
export const defaults: Experiment = {
  description: 'the default against schedules and constant rates, on Fashion-MNIST and CIFAR-10',
  seeds: { full: 3, quick: 1 },
  datasets: { full: ['fashion-mnist', 'cifar10'], quick: ['fashion-mnist'] },
  shortened: ['400 inner steps in place of 4,000, one seed in place of three, and Fashion-MNIST alone.'],
  arms: ({ size }) =>
    size === 'quick'
      ? comparison({ dataset: 'fashion-mnist', model: 'lenet', steps: CLAIMED_STEPS / 10 })
      : ['fashion-mnist', 'cifar10'].flatMap((dataset) =>
          comparison({ dataset, model: 'lenet', steps: CLAIMED_STEPS }),
        ),
};
