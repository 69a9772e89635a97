/** Section 4.3 of the paper, Table 4: what moving the hyperparameters costs in time, by each estimator. */

import { float, type Method, type Study } from '@glocal/sdk';
import { armOf, held, spaceOf, type Task } from '../arms.ts';
import { hankel, PAPER, type PaperLoop, paperMethod } from '../estimators.ts';
import type { Arm, Experiment, Findings, Lab, Size } from '../experiment.ts';
import { timeChart } from '../figures/time.ts';
import type { Finished } from '../outcome.ts';
import type { Table } from '../report/table.ts';
import { perStep, type StepTime, total } from './step-time.ts';

/** Inner steps of a training in the paper, and what its Table 4 has for them, in seconds on an A100. */
const PAPER_STEPS = 20_000;
const PAPER_SECONDS = { fixed: 11.4, local: 25.1, glocal: 66.7, global: 4_681.1 } as const;
/** Updates that the paper makes in them. */
const PAPER_UPDATES = PAPER_STEPS / PAPER.window;

const STEPS: Readonly<Record<Size, number>> = { full: 2_000, quick: 200 };
/** The default needs room for its windows. */
const DEFAULT_STEPS: Readonly<Record<Size, number>> = { full: 4_000, quick: 1_000 };
const GLOBAL_STEPS: Readonly<Record<Size, number>> = { full: 1_000, quick: 50 };

/** With as many validation examples, on which the times depend; how many there are to train on changes none of them. */
const PROBLEMS: Readonly<Record<Size, Task['problem']>> = {
  full: { dataset: 'fashion-mnist', model: 'lenet', validationExamples: 6_000 },
  quick: { dataset: 'fashion-mnist-10k', model: 'lenet', validationExamples: 6_000 },
};
const table = 'fashion-mnist, lenet';

/** Titles, by which the ratios are taken. */
const ROWS = {
  fixed: 'without (FIXED)',
  local: 'LOCAL',
  glocal: 'GLOCAL',
  localSample: 'LOCAL, 500 validation examples',
  glocalSample: 'GLOCAL, 500 validation examples',
  usual: 'GLOCAL, the default of studies',
  global: 'GLOBAL, one update',
} as const;

const unit = (init: number) => float({ min: 0, max: 1, init });

function arms(size: Size): Arm[] {
  const arm = (title: string, method: Method, steps: number): Arm => {
    const task: Task = { table, problem: PROBLEMS[size], steps };
    return armOf(task, {
      ...{ title, method, readout: 'last', optimizer: 'sgd' },
      space: spaceOf({ lr: unit(0.01), momentum: unit(0.1), weightDecay: unit(1e-3) }),
    });
  };
  const steps = STEPS[size];
  const sampled: PaperLoop = { ...PAPER, validationSample: 500 };
  const glocal = (loop: PaperLoop) => paperMethod(loop, 'glocal', 'last_iterate', hankel(loop));
  return [
    arm(ROWS.fixed, { ...held({ steps }), window: PAPER.window }, steps),
    arm(ROWS.local, paperMethod(PAPER, 'local', 'last_iterate'), steps),
    arm(ROWS.glocal, glocal(PAPER), steps),
    arm(ROWS.localSample, paperMethod(sampled, 'local', 'last_iterate'), steps),
    arm(ROWS.glocalSample, glocal(sampled), steps),
    arm(ROWS.usual, { estimator: 'glocal' }, DEFAULT_STEPS[size]),
    arm(ROWS.global, { estimator: 'global', trainings: 2, evaluation: 'last_iterate' }, GLOBAL_STEPS[size]),
  ];
}

export const runtime: Experiment = {
  description: "the paper's Table 4: time with LOCAL, GLOCAL and GLOBAL, and without",
  seeds: { full: 3, quick: 1 },
  datasets: { full: ['fashion-mnist'], quick: [] },
  shortened: [
    '200 inner steps of each in place of 2,000 (1,000 of the default, 50 of GLOBAL), the 10,000 examples that come with Glocal in place of ' +
      '60,000, one seed in place of three; the paper has 20,000 steps. Times are for each inner step in both forms, the median over the windows but the first.',
  ],
  alone: true,
  comparable: false,
  arms: ({ size }) => arms(size),
  analyse,
};

type Times = ReadonlyMap<string, StepTime>;

async function analyse({ client, signal }: Lab, finished: readonly Finished[]): Promise<Findings> {
  const times = new Map<string, StepTime>();
  for (const { arm, study: name, trials } of finished) {
    const study: Study = await client.studies.get(name, { signal });
    const steps = [];
    for (const { trial } of trials) {
      const ofTrial = await Array.fromAsync(study.outerSteps({ trial, signal }));
      // The first one loads and compiles.
      steps.push(...(ofTrial.length > 1 ? ofTrial.slice(1) : ofTrial));
    }
    const time = perStep(steps, arm.title === ROWS.usual);
    if (time !== undefined) times.set(arm.title, time);
  }
  const rows = finished.map(({ arm }) => arm.title).filter((title) => times.has(title));
  return {
    tables: [timeTable(rows, times), ratioTable(times)],
    figures: [
      {
        id: 'time-per-step',
        svg: await timeChart(
          'Time of an inner step, with all that its window takes',
          `${table}, batch 128`,
          rows.filter((title) => title !== ROWS.global),
          times,
        ),
      },
    ],
  };
}

const seconds = (time: StepTime | undefined): number => (total(time) * PAPER_STEPS) / 1_000;

function timeTable(rows: readonly string[], times: Times): Table {
  const cell = (milliseconds: number | undefined) => milliseconds?.toFixed(1) ?? '–';
  return {
    id: 'time',
    title: 'Milliseconds for each inner step: the median over windows',
    columns: ['', 'steps', 'hypergradients', 'DMD', 'in all', `${PAPER_STEPS.toLocaleString('en')} steps, s`],
    rows: rows.map((title) => {
      const time = times.get(title);
      const parts = [time?.training, time?.hypergradients, time?.dmd, total(time)].map(cell);
      return [title, ...parts, seconds(time).toFixed(0)];
    }),
    note: 'The last column is extrapolated from the one before. Validation figures and checkpoints are not in it.',
  };
}

/** A global update is a whole training; there are as many of them as the paper has windows, for the same number of updates. */
function ratioTable(times: Times): Table {
  const ratio = (of: string, to: string, factor = 1): string => {
    const value = (factor * total(times.get(of))) / total(times.get(to));
    return Number.isFinite(value) ? value.toFixed(2) : '–';
  };
  const { fixed, local, glocal, global } = PAPER_SECONDS;
  return {
    id: 'ratios',
    title: "Ratios of times, beside the paper's Table 4",
    columns: ['', 'here', 'paper'],
    rows: [
      ['local / fixed', ratio(ROWS.local, ROWS.fixed), (local / fixed).toFixed(2)],
      ['glocal / local', ratio(ROWS.glocal, ROWS.local), (glocal / local).toFixed(2)],
      ['local / fixed, 500 validation examples', ratio(ROWS.localSample, ROWS.fixed), ''],
      ['glocal / local, 500 validation examples', ratio(ROWS.glocalSample, ROWS.localSample), ''],
      ['the default of studies / fixed', ratio(ROWS.usual, ROWS.fixed), ''],
      [
        `global × ${PAPER_UPDATES} updates / glocal (extrapolated)`,
        ratio(ROWS.global, ROWS.glocal, PAPER_UPDATES),
        (global / glocal).toFixed(1),
      ],
    ],
    note:
      `GLOBAL makes an update after a whole training. ${PAPER_UPDATES} updates of ${PAPER_STEPS.toLocaleString('en')} steps each are ` +
      'extrapolated from its time for an inner step; they were not run.',
  };
}
