/**
 * Section 4.3 of the paper, Fig. 5: how many hypergradients an estimate is made from (σ), and how many are stacked in one
 * observable (m). Once by analysing stored windows again, and once by training anew with each.
 */

import { float, type OuterStep } from '@glocal/sdk';
import { armOf, spaceOf, type Task } from '../arms.ts';
import { hankel, type PaperLoop, paperMethod } from '../estimators.ts';
import type { Arm, Experiment, Findings, Lab, Size } from '../experiment.ts';
import { type HeatmapCell, heatmapChart } from '../figures/heatmap.ts';
import type { Finished } from '../outcome.ts';
import { mean, meanPercent } from '../report/statistics.ts';
import type { Table } from '../report/table.ts';
import { divisorsOf } from '../sizes.ts';
import { cosineOf, headingOf } from './heading.ts';

interface Grid {
  readonly sigmas: readonly number[];
  readonly delays: readonly number[];
}

interface Form {
  /** Inner steps of a training. */
  readonly steps: number;
  readonly loop: Omit<PaperLoop, 'sigma' | 'delays'>;
  /** Rate that a training starts from. */
  readonly start: number;
  /** Settings that are trained with; stored windows are analysed with those of `REANALYSED`. */
  readonly trained: Grid;
}

const WINDOW = 50;
const REANALYSED: Grid = { sigmas: [10, 20, 30, 40, 50], delays: [1, 2, 5, 10, 15] };
const FORMS: Readonly<Record<Size, Form>> = {
  full: {
    steps: 20_000,
    // The paper's Fig. 5 starts there.
    start: 1e-3,
    loop: { window: WINDOW, rate: 0.1 },
    trained: { sigmas: [10, 20, 30, 40, 50], delays: [1, 5, 10, 15] },
  },
  quick: {
    steps: 500,
    start: 0.01,
    loop: { window: WINDOW, validationSample: 500 },
    trained: { sigmas: [20, 40], delays: [1, 10] },
  },
};
/** Windows of stored training are analysed where the hypergradient can still be followed. */
const HELD_STARTS: Readonly<Record<Size, readonly number[]>> = { full: [1e-3, 0.01, 0.1], quick: [0.01] };
const HELD_STEPS: Readonly<Record<Size, number>> = { full: 1_000, quick: 250 };
/** So small that the values stay where they are. */
const STILL = 1e-9;

const unit = (init: number | readonly number[]) => float({ min: 0, max: 1, init });
const space = (starts: readonly number[]) =>
  spaceOf({ lr: unit(starts), momentum: unit(0.1), weightDecay: unit(1e-3) });

/** A setting is possible where there are two pairs of snapshots. */
const settingsOf = ({ sigmas, delays }: Grid) =>
  sigmas.flatMap((sigma) => delays.filter((m) => sigma >= m + 2).map((m) => ({ sigma, delays: m })));

const problem = { dataset: 'fashion-mnist', model: 'lenet' };
const RERUN = 'trained';
const HELD = 'held';

function arms(size: Size): Arm[] {
  const { steps, start, loop, trained } = FORMS[size];
  const rerun: Task = { table: `fashion-mnist, lenet, ${steps} steps`, problem, steps };
  const still: Task = { ...rerun, table: 'windows to analyse again', steps: HELD_STEPS[size] };
  const whole = { ...loop, sigma: WINDOW, delays: 10 };
  const method = paperMethod(whole, 'glocal', 'last_iterate', hankel(whole));
  return [
    armOf(still, {
      ...{ title: HELD, readout: 'last', optimizer: 'sgd', space: space(HELD_STARTS[size]) },
      // The sensitivity is carried on, so that later windows tell where the earlier ones were heading.
      method: { ...method, outer: { ...method.outer, rate: STILL }, sensitivityDiscount: 1 },
    }),
    ...settingsOf(trained).map((setting) =>
      armOf(rerun, {
        ...{ title: titleOf(setting), readout: 'last', optimizer: 'sgd', space: space([start]) },
        method: paperMethod({ ...loop, ...setting }, 'glocal', 'last_iterate', hankel(setting)),
      }),
    ),
  ];
}

const titleOf = ({ sigma, delays }: { sigma: number; delays: number }): string =>
  `${RERUN}, σ ${sigma}, m ${delays}`;

export const sigmaDelay: Experiment = {
  description: "the paper's Fig. 5: σ and m, by analysing stored windows again and by training with each",
  seeds: { full: 3, quick: 1 },
  datasets: { full: [problem.dataset] },
  shortened: [
    '500 inner steps from .01 in place of 20,000 from .001 and four settings in place of twenty for the trainings, five windows from one start ' +
      'in place of sixty for the analysis, hypergradients on 500 of 6,000 validation examples, one seed in place of three.',
  ],
  arms: ({ size }) => arms(size),
  analyse,
};

async function analyse(lab: Lab, finished: readonly Finished[]): Promise<Findings> {
  const kept = finished.find(({ arm }) => arm.title === HELD);
  const analysed = kept === undefined ? undefined : await reanalysed(lab, kept);
  const { steps, start, trained: grid } = FORMS[lab.size];
  const trained = trainedCells(grid, finished);
  const figures = [
    ...(analysed === undefined
      ? []
      : [
          {
            id: 'reanalysis',
            svg: await heatmapChart(
              'Stored windows, analysed again',
              `cosine of the estimate with the mean of the next window, over ${analysed.windows} windows`,
              AXES,
              analysed.cells,
            ),
          },
        ]),
    {
      id: 'trainings',
      svg: await heatmapChart(
        'Trained with each',
        `validation accuracy in % after ${steps} steps from a rate of ${start}`,
        AXES,
        trained,
      ),
    },
  ];
  return { tables: analysed === undefined ? [] : [analysed.table], figures };
}

const AXES = { x: 'hypergradients (σ)', y: 'stacked in one observable (m)' };

function trainedCells(grid: Grid, finished: readonly Finished[]): HeatmapCell[] {
  return settingsOf(grid).map((setting) => {
    const trials = finished.find(({ arm }) => arm.title === titleOf(setting))?.trials ?? [];
    const values = trials.flatMap(({ validationAccuracy }) => validationAccuracy ?? []);
    const all = values.length > 0 && values.length === trials.length;
    return {
      ...{ x: setting.sigma, y: setting.delays },
      ...{ value: all ? mean(values) : undefined, text: all ? meanPercent(values) : 'failed' },
    };
  });
}

interface Reanalysed {
  readonly cells: readonly HeatmapCell[];
  readonly table: Table;
  readonly windows: number;
}

/** Each window but the last of each trial, with each setting. */
async function reanalysed(
  { client, signal, note }: Lab,
  { study: name, trials }: Finished,
): Promise<Reanalysed> {
  const study = await client.studies.get(name, { signal });
  const scores = settingsOf(REANALYSED).map((setting) => ({
    setting,
    cosines: [] as number[],
    undefinedOnes: 0,
  }));
  let windows = 0;
  for (const { trial } of trials) {
    const steps: OuterStep[] = await Array.fromAsync(
      study.outerSteps({ trial, includeWindows: true, signal }),
    );
    for (const [i, { index, window }] of steps.slice(0, -1).entries()) {
      const truth = headingOf(steps[i + 1]);
      if (truth === undefined || window?.hypergradients === undefined) continue;
      const sizes = divisorsOf(window.hypergradients);
      windows += 1;
      for (const score of scores) {
        const { sigma, delays } = score.setting;
        const { report } = await study.reanalyze(index, { trial, sigma, dmd: { delays }, signal });
        if (report.glocal === undefined) score.undefinedOnes += 1;
        else score.cosines.push(cosineOf(report.glocal, truth, sizes));
      }
    }
    note(`${trial}: ${windows} windows analysed again with ${scores.length} settings`);
  }
  return {
    windows,
    cells: scores.map(({ setting, cosines }) => ({
      ...{ x: setting.sigma, y: setting.delays },
      value: cosines.length === 0 ? undefined : mean(cosines),
      text: cosines.length === 0 ? 'none' : mean(cosines).toFixed(3),
    })),
    table: {
      id: 'reanalysis',
      title: 'Stored windows analysed again: cosine of the estimate with the mean of the next window',
      note: 'Each component is divided by its largest value in the window.',
      columns: ['σ', 'm', 'cosine', 'no estimate', 'windows'],
      rows: scores.map(({ setting, cosines, undefinedOnes }) => [
        ...[String(setting.sigma), String(setting.delays)],
        ...[cosines.length === 0 ? '–' : mean(cosines).toFixed(3), String(undefinedOnes), String(windows)],
      ]),
    },
  };
}
