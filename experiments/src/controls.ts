/** What tuned runs have to be compared with: rates that somebody knows, or finds in a grid, and schedules that somebody has made. */

import type { ParameterMap, Space } from '@glocal/sdk';
import {
  armOf,
  asPublished,
  type Besides,
  cooldown,
  cosine,
  held,
  prodigyCosine,
  type Row,
  spaceOf,
  startingFrom,
  type Task,
} from './arms.ts';
import type { Arm, LaterArms, Planned } from './experiment.ts';
import { rangeTest, rangeTestCost } from './range-test.ts';

/** The grids of the controls; an empty one has no row. */
export interface ControlGrids {
  /** Constant rates of SGD. */
  readonly constant: readonly number[];
  /** Rates before the cooldown. @default constant */
  readonly cooldown?: readonly number[];
  /** Peaks of the cosine. */
  readonly peaks: readonly number[];
  /** Constant rates of Schedule-Free SGD. */
  readonly scheduleFree: readonly number[];
  /** The same with the average's weights as published. @default scheduleFree */
  readonly asPublished?: readonly number[];
  /** Whether there is Prodigy. @default true */
  readonly prodigy?: boolean;
  /** Whether there is SGD at the rate that a range test picks. @default false, since the test takes as long as many a quick form */
  readonly rangeTest?: boolean;
}

export const CONTROL_GRIDS: ControlGrids = {
  constant: [0.05, 0.1, 0.2],
  peaks: [0.1, 0.2, 0.4],
  scheduleFree: [0.1, 0.5, 1],
  rangeTest: true,
};

const NOTHING: Besides = { title: '', parameters: {} };

const together = (space: Space<ParameterMap>, { parameters }: Besides): Space<ParameterMap> =>
  spaceOf({ ...space.parameters, ...parameters });

/** Each of them a grid, which costs all of its runs. */
export function controls(
  task: Task,
  grids: ControlGrids = CONTROL_GRIDS,
  besides: Besides = NOTHING,
): Planned[] {
  const { constant, cooldown: cooled = constant, peaks, scheduleFree, prodigy = true } = grids;
  const { asPublished: published = scheduleFree } = grids;
  const arm = ({ title, space, ...row }: Omit<Row, 'method'>): Arm =>
    armOf(task, {
      ...row,
      ...{ title: `${title}${besides.title}`, method: held(task), space: together(space, besides) },
    });
  const oneStudy = (rates: readonly number[], row: Omit<Row, 'method'>): Arm[] =>
    rates.length === 0 ? [] : [arm({ ...row, grid: true })];
  const sgd = {
    optimizer: 'sgd',
    space: startingFrom('sgd', constant),
    training: `SGD, constant${besides.title}`,
  } as const;
  const free = { optimizer: 'schedule-free', readout: 'averaged' } as const;
  return [
    ...oneStudy(constant, { ...sgd, title: 'SGD, constant', readout: 'last' }),
    ...oneStudy(constant, { ...sgd, title: 'SGD, constant, averaged weights', readout: 'averaged' }),
    ...cooled.map((start) =>
      arm({
        ...{ title: 'SGD, constant with cooldown', start, grid: true, readout: 'last' },
        ...{ optimizer: 'sgd', space: cooldown(start) },
      }),
    ),
    ...peaks.map((start) =>
      arm({
        ...{ title: 'SGD, cosine', start, grid: true, readout: 'last' },
        ...{ optimizer: 'sgd', space: cosine(start, task.steps) },
      }),
    ),
    ...oneStudy(scheduleFree, {
      ...{
        ...free,
        title: 'Schedule-Free SGD, constant',
        space: startingFrom('schedule-free', scheduleFree),
      },
    }),
    ...oneStudy(published, {
      ...{
        ...free,
        title: 'Schedule-Free SGD, constant, weights as published',
        space: asPublished(published),
      },
    }),
    // Nobody has to know its rate.
    ...(prodigy
      ? [
          arm({
            ...{ title: 'Prodigy, cosine', start: 1, readout: 'last' },
            ...{ optimizer: 'prodigy', space: prodigyCosine(task.steps) },
          }),
        ]
      : []),
    ...(grids.rangeTest ? [atRangeTestRate(task, besides)] : []),
  ];
}

/** SGD at the rate that a range test picks, at both weights. The test costs its own steps besides, which the title says. */
function atRangeTestRate(task: Task, besides: Besides): LaterArms {
  const name = `SGD at the rate of a range test (+${rangeTestCost(task).toPrecision(2)} runs)`;
  const training = `${name}${besides.title}`;
  const id = `${task.table}: ${training}`;
  return {
    id,
    arms: async (lab) => {
      const rate = await rangeTest(lab, task, besides);
      if (rate === undefined) {
        lab.note(`${id}: is left out, since the test picked none`);
        return [];
      }
      const shared = {
        ...{ optimizer: 'sgd', method: held(task), training },
        space: together(startingFrom('sgd', [rate]), besides),
      } as const;
      return [
        armOf(task, { ...shared, title: training, readout: 'last' }),
        armOf(task, { ...shared, title: `${name}, averaged weights${besides.title}`, readout: 'averaged' }),
      ];
    },
  };
}
