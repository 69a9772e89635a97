/** Appendix C of the paper, Fig. 9: the hypergradient of a whole training, which keeps a high rate for long and so diverges. */

import { type TrajectoryPoint, trajectoryChart } from '@glocal/cli/charts';
import { float, type OuterStep } from '@glocal/sdk';
import { armOf, spaceOf, type Task } from '../arms.ts';
import { CONTROL_GRIDS, type ControlGrids, controls } from '../controls.ts';
import { hankel, PAPER, type PaperLoop, paperMethod } from '../estimators.ts';
import type { Experiment, Findings, Lab, Planned, Size } from '../experiment.ts';
import type { Finished } from '../outcome.ts';
import type { Figure } from '../report/figure.ts';
import { slug, type Table } from '../report/table.ts';

interface Form {
  /** Inner steps of one training. */
  readonly steps: number;
  /** Trainings from scratch, each followed by an update. */
  readonly trainings: number;
  readonly loop: PaperLoop;
  readonly controls: ControlGrids;
}

const FORMS: Readonly<Record<Size, Form>> = {
  full: { steps: 20_000, trainings: 20, loop: PAPER, controls: CONTROL_GRIDS },
  quick: {
    ...{ steps: 100, trainings: 8 },
    loop: { window: 50, sigma: 20, delays: 10, validationSample: 500 },
    controls: { constant: [0.1], cooldown: [], peaks: [0.2], scheduleFree: [0.5], asPublished: [] },
  },
};
const STARTS = [0.01, 0.1];
const GLOBAL = 'GLOBAL';
/** With bounds as wide as where a training diverges; the paper's are 0 and 1. */
const unit = (init: number | readonly number[]) => float({ min: 0, max: 1, init });
const space = spaceOf({ lr: unit(STARTS), momentum: unit(0.1), weightDecay: unit(1e-3) });

function arms(size: Size): Planned[] {
  const { steps, trainings, loop, controls: grids } = FORMS[size];
  const problem = { dataset: 'fashion-mnist', model: 'lenet' };
  const table = `fashion-mnist, lenet, ${steps} steps a training`;
  const once: Task = { table, problem, steps };
  const whole: Task = { ...once, steps: steps * trainings };
  const common = { readout: 'last', optimizer: 'sgd', space } as const;
  return [
    armOf(once, {
      ...{ ...common, title: `${GLOBAL}, ${trainings} trainings` },
      method: {
        estimator: 'global',
        trainings,
        evaluation: 'last_iterate',
        outer: { rate: OUTER_RATE[size] },
      },
    }),
    armOf(whole, {
      ...{ ...common, title: 'GLOCAL, one training of as many steps' },
      method: paperMethod(loop, 'glocal', 'last_iterate', hankel(loop)),
    }),
    ...controls(whole, grids),
  ];
}

/** So that the rate can move as far as in the paper, in as few updates as there are. */
const OUTER_RATE: Readonly<Record<Size, number>> = { full: 0.3, quick: 0.6 };

export const globalBaseline: Experiment = {
  description: "the paper's Fig. 9: GLOBAL, which trains from scratch for each update",
  seeds: { full: 3, quick: 1 },
  datasets: { full: ['fashion-mnist'] },
  shortened: [
    '8 trainings of 100 inner steps in place of 20 of 20,000, hypergradients of GLOCAL on 500 of 6,000 validation examples, ' +
      'one seed in place of three, and smaller grids of controls.',
  ],
  arms: ({ size }) => arms(size),
  analyse: async (lab, finished) => {
    const global = finished.find(({ arm }) => arm.title.startsWith(GLOBAL));
    return global === undefined ? { tables: [], figures: [] } : trainingsOf(lab, global);
  },
};

/** What each training of GLOBAL had and came to, of the first seed of each start. */
async function trainingsOf({ client, signal }: Lab, { arm, study, trials }: Finished): Promise<Findings> {
  const rows: string[][] = [];
  const points: TrajectoryPoint[] = [];
  const runs: string[] = [];
  const open = await client.studies.get(study, { signal });
  for (const start of STARTS) {
    const trial = trials.find((one) => one.start === start);
    if (trial === undefined) continue;
    const run = `from ${start}`;
    runs.push(run);
    for (const outer of await Array.fromAsync(open.outerSteps({ trial: trial.trial, signal }))) {
      rows.push([run, ...rowOf(outer)]);
      const { lr } = outer.values as Readonly<Record<string, number>>;
      points.push(
        ...[
          { run, step: outer.index, quantity: 'rate', value: lr ?? Number.NaN },
          { run, step: outer.index, quantity: 'accuracy', value: 100 * outer.validation.accuracy },
        ].filter(({ value }) => Number.isFinite(value)),
      );
    }
  }
  const table: Table = {
    id: 'trainings',
    title: `${arm.title}: what each of them had and came to, seed 0`,
    columns: ['', 'training', 'rate', 'validation accuracy', 'validation loss', ''],
    rows,
  };
  const figure: Figure = {
    id: slug('global trainings'),
    svg: await trajectoryChart(
      'GLOBAL: each point is a training from scratch',
      `${arm.table} (the axis counts trainings)`,
      runs,
      [
        { name: 'rate', title: 'learning rate', scale: 'log', interpolate: 'linear' },
        { name: 'accuracy', title: 'validation accuracy in %', scale: 'linear', interpolate: 'linear' },
      ],
      points,
    ),
  };
  return { tables: [table], figures: [figure] };
}

function rowOf({ index, values, validation, update }: OuterStep): string[] {
  const { lr } = values as Readonly<Record<string, number>>;
  return [
    ...[String(index), lr?.toPrecision(3) ?? '–', (100 * validation.accuracy).toFixed(1)],
    ...[validation.loss.toPrecision(3), update?.rolledBack ? 'taken back' : ''],
  ];
}
