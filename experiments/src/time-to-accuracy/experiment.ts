/**
 * `time-to-accuracy`: one tuned training against searches that train many times, on the same trainer and by the clock, with every
 * training counted.
 */

import { fixed, float, type Method } from '@glocal/sdk';
import { armOf, spaceOf, type Task } from '../arms.ts';
import type { Arm, Experiment, Findings, Lab, Size } from '../experiment.ts';
import { searchChart } from '../figures/searches.ts';
import type { Finished } from '../outcome.ts';
import { percent } from '../report/statistics.ts';
import type { Table } from '../report/table.ts';
import { asha, bestBy, type PlainTraining, randomSearch, type Search, timeTo } from './search.ts';
import { inRandomOrder } from './shuffle.ts';
import { type LogSpace, Tpe, tpeMissing } from './tpe.ts';

interface Form {
  readonly problem: Task['problem'];
  /** A multiple of {@link PARTS}. */
  readonly steps: number;
  /** Trainings of each search. */
  readonly trials: number;
  /** Searches of each method; TPE, whose trainings are its own, has as many as there are seeds. */
  readonly starts: number;
}

const FORMS: Readonly<Record<Size, Form>> = {
  full: {
    problem: { dataset: 'fashion-mnist', model: 'lenet' },
    ...{ steps: 1_998, trials: 20, starts: 5 },
  },
  quick: {
    problem: { dataset: 'fashion-mnist-10k', model: 'mlp' },
    ...{ steps: 990, trials: 20, starts: 5 },
  },
};
/** Outer steps of a plain training, at whose ends it is looked at. */
const PARTS = 9;
const OPTIMIZER = 'schedule-free';
const SPACE: LogSpace = { lr: [1e-4, 10], weightDecay: [1e-6, 1e-1] };
const BETA = fixed(0.9);

const RANDOM = 'random search';
const TUNED = 'glocal, one training';

const taskOf = ({ problem, steps }: Form): Task => ({
  table: `${problem.dataset}, ${problem.model}, ${steps} steps`,
  ...{ problem, steps },
});

/** From points that are drawn at random, each parameter by itself, of values equally far apart by the logarithm. */
function drawn(task: Task, title: string, method: Method, points: number, seed: number): Arm {
  const space = spaceOf({
    ...Object.fromEntries(
      Object.entries(SPACE).map(([name, [min, max]]) => [
        name,
        float({ min, max, scale: 'log', init: spaced(min, max) }),
      ]),
    ),
    beta: BETA,
  });
  const arm = armOf(task, {
    title,
    optimizer: OPTIMIZER,
    readout: 'averaged',
    seeds: 1,
    grid: true,
    space,
    method,
  });
  return { ...arm, spec: { ...arm.spec, sampling: { method: 'random', points, seed } } };
}

/** Powers and logarithms come back a rounding beside their bounds. */
const clipped = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

/** As many values of one parameter as a study may choose from. */
const VALUES = 64;

/** Equally far apart by the logarithm. */
const spaced = (min: number, max: number): number[] =>
  Array.from({ length: VALUES }, (_, i) => clipped(min * (max / min) ** (i / (VALUES - 1)), min, max));

const plain = ({ steps }: Task): Method => ({ estimator: 'fixed', window: steps / PARTS });

function arms(size: Size): Arm[] {
  const form = FORMS[size];
  const task = taskOf(form);
  return [
    drawn(task, RANDOM, plain(task), form.trials, 1),
    drawn(task, TUNED, { estimator: 'glocal' }, form.starts, 2),
  ];
}

export const timeToAccuracy: Experiment = {
  description: 'one tuned training against random search, ASHA and TPE, by the clock',
  seeds: { full: 5, quick: 1 },
  datasets: { full: ['fashion-mnist'], quick: [] },
  shortened: [
    'A perceptron on the 10,000 examples that come with Glocal, with 990 steps, in place of LeNet on all of Fashion-MNIST with 1,998; TPE ' +
      'from one random start in place of five.',
  ],
  alone: true,
  comparable: false,
  arms: ({ size }) => arms(size),
  analyse,
};

async function analyse(lab: Lab, finished: readonly Finished[]): Promise<Findings> {
  const form = FORMS[lab.size];
  const named = (name: string) => finished.find(({ arm: { title } }) => title === name);
  const [random, tuned] = [named(RANDOM), named(TUNED)];
  if (random === undefined || tuned === undefined) return { tables: [], figures: [] };
  const trainings = await plainTrainings(lab, random);
  const orders = Array.from({ length: form.starts }, (_, start) => inRandomOrder(trainings, start));
  const missing = await tpeMissing();
  if (missing !== undefined) lab.note(missing);
  const searches: Search[] = [
    ...tuned.trials.map(({ seconds, validationAccuracy: validation, accuracy: test }, start) => ({
      ...{ method: TUNED, start },
      found: [{ seconds, validation, test }],
    })),
    ...orders.map((order, start) => randomSearch(start, order)),
    ...orders.map((order, start) => asha(start, order, PARTS)),
    ...(missing === undefined ? await tpeSearches(lab, form) : []),
  ];
  const budget = trainings.reduce((sum, { seconds }) => sum + seconds, 0);
  const target = Math.max(...trainings.map(({ validation }) => validation ?? 0));
  return {
    tables: [summary(searches, budget, target, missing)],
    figures: [
      {
        id: 'searches',
        svg: await searchChart(
          'Best validation error by the clock',
          `${taskOf(form).table}; each line is one search`,
          searches,
          target,
        ),
      },
    ],
  };
}

async function plainTrainings(
  { client, signal }: Lab,
  { study: name, trials }: Finished,
): Promise<PlainTraining[]> {
  const study = await client.studies.get(name, { signal });
  const trainings: PlainTraining[] = [];
  for (const { trial, seconds, validationAccuracy, accuracy } of trials) {
    const steps = await Array.fromAsync(study.outerSteps({ trial, signal }));
    trainings.push({
      seconds,
      curve: steps.map(({ averagedValidation }) => ({ validation: averagedValidation.accuracy })),
      validation: validationAccuracy,
      test: accuracy,
    });
  }
  return trainings;
}

async function tpeSearches(lab: Lab, form: Form): Promise<Search[]> {
  const task = taskOf(form);
  const searches: Search[] = [];
  for (let start = 0; start < lab.seeds; start++) {
    await using tpe = new Tpe(start, SPACE);
    const found: Search['found'][number][] = [];
    let seconds = 0;
    for (let i = 0; i < form.trials; i++) {
      const point = await tpe.ask();
      const fixedThere = Object.entries(SPACE).map(([name, [min, max]]) => [
        name,
        float({ min, max, scale: 'log', init: clipped(point[name] ?? min, min, max) }),
      ]);
      const [ended] = await lab.run([
        armOf(task, {
          ...{ title: `TPE, random start ${start}`, start: i, optimizer: OPTIMIZER, seeds: 1, grid: true },
          ...{ readout: 'averaged', method: plain(task) },
          space: spaceOf({ ...Object.fromEntries(fixedThere), beta: BETA }),
        }),
      ]);
      const outcome = ended?.trials[0];
      seconds += outcome?.seconds ?? 0;
      const validation = outcome?.validationAccuracy;
      tpe.tell(validation === undefined ? undefined : -validation);
      found.push({ seconds, validation, test: outcome?.accuracy });
    }
    searches.push({ method: 'TPE', start, found });
  }
  return searches;
}

function summary(
  searches: readonly Search[],
  budget: number,
  target: number,
  missing: string | undefined,
): Table {
  const byMethod = [...Map.groupBy(searches, ({ method }) => method)];
  return {
    id: 'time-to-accuracy',
    title: `Time to the best validation accuracy of the random trials (${percent(target)} %), and what there is after ${budget.toFixed(0)} s`,
    columns: [
      'method',
      'searches',
      'reached',
      'seconds to it, median',
      'within a point of it',
      'validation',
      'test',
      'seconds in all',
    ],
    rows: byMethod.map(([method, some]) => {
      const times = some.flatMap((search) => timeTo(search, target) ?? []);
      const near = some.flatMap((search) => timeTo(search, target - 0.01) ?? []);
      const best = some.flatMap((search) => bestBy(search, budget) ?? []);
      const whole = some.map(({ found }) => found.at(-1)?.seconds ?? 0);
      return [
        ...[method, String(some.length), `${times.length} of ${some.length}`, secondsOf(times, some.length)],
        `${near.length} of ${some.length}: ${secondsOf(near, some.length)}`,
        ...[spread(best.map(({ validation }) => validation ?? 0)), spread(best.map(({ test }) => test ?? 0))],
        secondsOf(whole, whole.length),
      ];
    }),
    note: [
      'Random search and ASHA take the same trainings in several random orders, ASHA their recorded curves: a training that it stops has taken its share of the time. ' +
        'Medians over searches that did not all get there count the others as longer.',
      ...(missing === undefined ? [] : [missing]),
    ].join(' '),
  };
}

/** The median, of searches of which some took longer than was measured. */
function secondsOf(times: readonly number[], of: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((of - 1) / 2)];
  return middle === undefined ? '–' : middle.toFixed(0);
}

/** Median, and from where to where. */
function spread(shares: readonly number[]): string {
  const sorted = shares.toSorted((a, b) => a - b);
  const [first, last] = [sorted[0], sorted.at(-1)];
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (first === undefined || last === undefined || middle === undefined) return '–';
  return `${percent(middle)} (${percent(first)} to ${percent(last)})`;
}
