/** What tuned runs have to be compared with: rates that somebody knows, or finds in a grid, and schedules that somebody has made. */

import {
  armOf,
  asPublished,
  cooldown,
  cosine,
  held,
  prodigyCosine,
  startingFrom,
  type Task,
} from './arms.ts';
import type { Arm, Lab } from './experiment.ts';
import { rangeTest } from './range-test.ts';

/** The grids of the controls. */
export interface ControlGrids {
  /** Constant rates of SGD, also before the cooldown. */
  readonly constant: readonly number[];
  /** Peaks of the cosine. */
  readonly peaks: readonly number[];
  /** Constant rates of Schedule-Free SGD. */
  readonly scheduleFree: readonly number[];
}

export const CONTROL_GRIDS: ControlGrids = {
  constant: [0.05, 0.1, 0.2],
  peaks: [0.1, 0.2, 0.4],
  scheduleFree: [0.1, 0.5, 1],
};

/** Each of them a grid, which costs all of its runs. */
export function controls(task: Task, grids: ControlGrids = CONTROL_GRIDS): Arm[] {
  const method = held(task);
  const constant = {
    optimizer: 'sgd',
    space: startingFrom('sgd', grids.constant),
    method,
    grid: true,
  } as const;
  return [
    armOf(task, { ...constant, title: 'SGD, constant', readout: 'last' }),
    armOf(task, { ...constant, title: 'SGD, constant, averaged weights', readout: 'averaged' }),
    ...grids.constant.map((start) =>
      armOf(task, {
        ...{ title: 'SGD, constant with cooldown', start, grid: true, readout: 'last', method },
        ...{ optimizer: 'sgd', space: cooldown(start) },
      }),
    ),
    ...grids.peaks.map((start) =>
      armOf(task, {
        ...{ title: 'SGD, cosine', start, grid: true, readout: 'last', method },
        ...{ optimizer: 'sgd', space: cosine(start, task.steps) },
      }),
    ),
    armOf(task, {
      ...{ title: 'Schedule-Free SGD, constant', grid: true, readout: 'averaged', method },
      ...{ optimizer: 'schedule-free', space: startingFrom('schedule-free', grids.scheduleFree) },
    }),
    armOf(task, {
      ...{
        title: 'Schedule-Free SGD, constant, weights as published',
        grid: true,
        readout: 'averaged',
        method,
      },
      ...{ optimizer: 'schedule-free', space: asPublished(grids.scheduleFree) },
    }),
    // Nobody has to know its rate.
    armOf(task, {
      ...{ title: 'Prodigy, cosine', start: 1, readout: 'last', method },
      ...{ optimizer: 'prodigy', space: prodigyCosine(task.steps) },
    }),
  ];
}

/** SGD at the rate that a range test picks, at both weights. The test costs its own steps besides, which the title says. */
export async function rangeTestArms(lab: Lab, task: Task): Promise<Arm[]> {
  const { rate, cost } = await rangeTest(lab, task, 'sgd');
  const shared = { optimizer: 'sgd', space: startingFrom('sgd', [rate]), method: held(task) } as const;
  const title = `SGD at the rate of a range test (+${cost.toPrecision(2)} runs)`;
  return [
    armOf(task, { ...shared, title, readout: 'last' }),
    armOf(task, { ...shared, title: `${title}, averaged weights`, readout: 'averaged' }),
  ];
}
