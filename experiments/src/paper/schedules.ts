/** Section 4.1 of the paper: hyperparameters of the optimizer, moved while it trains, from several starts (Figs. 2, 3, 6 to 8). */

import { fixed, float, type Method, type ParameterMap, type Space } from '@glocal/sdk';
import { armOf, held, spaceOf, startingFrom, type Task } from '../arms.ts';
import { CONTROL_GRIDS, type ControlGrids, controls } from '../controls.ts';
import { type Estimated, estimators, PAPER, type PaperLoop } from '../estimators.ts';
import type { Arm, Experiment, Planned, Size } from '../experiment.ts';
import { scheduleFigures } from '../figures/schedules.ts';

/** What one of these experiments is about. */
interface Subject {
  readonly dataset: string;
  /** In each form. */
  readonly task: Readonly<Record<Size, Omit<Task, 'table'>>>;
  readonly loop: Readonly<Record<Size, PaperLoop>>;
  readonly starts: Readonly<Record<Size, readonly number[]>>;
  readonly controls: Readonly<Record<Size, ControlGrids>>;
  readonly shortened: string;
  /** The paper's space, all of it between 0 and 1 on the scale of the logit. */
  readonly space: (starts: readonly number[]) => Space<ParameterMap>;
}

const unit = <Init extends number | readonly number[]>(init: Init) => float({ min: 0, max: 1, init });

const lenet = (dataset: string): Subject => ({
  dataset,
  task: {
    full: { problem: { dataset, model: 'lenet' }, steps: 20_000 },
    quick: { problem: { dataset, model: 'lenet' }, steps: 500 },
  },
  loop: {
    full: PAPER,
    quick: { window: 50, sigma: 20, delays: 10, validationSample: 500 },
  },
  starts: { full: [0.001, 0.005, 0.01, 0.1], quick: [0.01] },
  controls: {
    full: CONTROL_GRIDS,
    quick: { constant: [0.1, 0.2], cooldown: [0.2], peaks: [0.2], scheduleFree: [0.5], asPublished: [] },
  },
  shortened:
    '500 inner steps in place of 20,000, one start in place of four, hypergradients on 500 of 6,000 validation examples, ' +
    'the outer rate that goes with ten updates in place of .1, one seed in place of three, and smaller grids of controls.',
  space: (starts) => spaceOf({ lr: unit(starts), momentum: unit(0.1), weightDecay: unit(1e-3) }),
});

const wideResnet = (dataset: string): Subject => ({
  dataset,
  task: {
    full: { problem: { dataset, model: 'wide-resnet-28-2' }, steps: 20_000 },
    quick: {
      problem: { dataset, model: 'wide-resnet-16-2', batchSize: 16, validationExamples: 200 },
      steps: 300,
    },
  },
  loop: {
    full: { ...PAPER, rate: 0.01 },
    quick: { window: 50, sigma: 20, delays: 10, validationSample: 50 },
  },
  starts: { full: [0.01, 0.1], quick: [0.1] },
  controls: {
    full: CONTROL_GRIDS,
    quick: { constant: [], peaks: [], scheduleFree: [0.5], asPublished: [], prodigy: false },
  },
  shortened:
    'WideResNet 16-2 in place of 28-2, 300 inner steps on batches of 16 in place of 20,000 on 128, hypergradients on 50 examples, ' +
    'one start, one seed, and one control beside FIXED.',
  space: (starts) => spaceOf({ lr: unit(starts), momentum: fixed(0), weightDecay: unit(1e-3) }),
});

/** The default of studies, whose space is wider than the paper's. */
const DEFAULT: Method = { estimator: 'glocal' };

function taskOf({ dataset, task }: Subject, size: Size): Task {
  const { problem, steps } = task[size];
  return { ...task[size], table: `${dataset}, ${problem.model}, ${steps} steps` };
}

function arms(subject: Subject, size: Size): Planned[] {
  const { loop, starts, space } = subject;
  const whole = taskOf(subject, size);
  const tuned = ({ title, method, evaluation }: Estimated): Arm =>
    armOf(whole, {
      ...{ title, method, optimizer: 'sgd', space: space(starts[size]) },
      readout: evaluation === 'averaged' ? 'averaged' : 'last',
    });
  const plain = { optimizer: 'sgd', space: space(starts[size]), method: held(whole) } as const;
  const everyOne = [...estimators(loop[size], 'last_iterate'), ...estimators(loop[size], 'averaged')];
  const shown = size === 'full' ? everyOne : everyOne.filter(({ title }) => QUICK_TITLES.includes(title));
  const ours = armOf(whole, {
    ...{ title: 'Schedule-Free SGD, the default of studies', readout: 'averaged', method: DEFAULT },
    ...{ optimizer: 'schedule-free', space: startingFrom('schedule-free', starts[size]) },
  });
  return [
    armOf(whole, { ...plain, title: 'FIXED', readout: 'last' }),
    ...shown.map(tuned),
    ...(size === 'full' ? [ours] : []),
    ...controls(whole, subject.controls[size]),
  ];
}

const QUICK_TITLES = ['LOCAL', "GLOCAL, the paper's HANKEL", 'GLOCAL, AFFINE, averaged weights'];

const experiment = (subject: Subject, description: string): Experiment => ({
  description,
  seeds: { full: 3, quick: 1 },
  datasets: { full: [subject.dataset] },
  shortened: [subject.shortened],
  arms: ({ size }) => arms(subject, size),
  analyse: async (lab, finished) => ({
    tables: [],
    figures: await scheduleFigures(lab.client, finished),
  }),
});

export const schedulesMnist = experiment(lenet('mnist'), "the paper's Fig. 6: LeNet on MNIST");
export const schedulesFashionMnist = experiment(
  lenet('fashion-mnist'),
  "the paper's Figs. 2 and 8: LeNet on Fashion-MNIST",
);
export const schedulesKmnist = experiment(
  lenet('kmnist'),
  "the paper's Fig. 7: LeNet on KMNIST, which you bring",
);
export const schedulesCifar10 = experiment(
  wideResnet('cifar10'),
  "the paper's Fig. 3, left: WideResNet 28-2 on CIFAR-10",
);
export const schedulesCifar100 = experiment(
  wideResnet('cifar100'),
  "the paper's Fig. 3, right: WideResNet 28-2 on CIFAR-100",
);
