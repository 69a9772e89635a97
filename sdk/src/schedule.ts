/** The trajectory of a trial's hyperparameters. */

import type * as proto from '@glocal/proto/glocal/v1/study_service';
import type { ParameterMap, Values } from './space.ts';

/** Values that hold from an inner step on. */
export interface SchedulePoint<P extends ParameterMap = ParameterMap> {
  /** Number of inner steps done when the values took effect. */
  readonly step: number;
  readonly values: Values<P>;
}

/** The values of a trial's hyperparameters, from its start to now. */
export class Schedule<P extends ParameterMap = ParameterMap> {
  /** Names of the hyperparameters, in the order of the columns of {@link toCsv}. */
  readonly parameters: readonly (keyof P & string)[];
  /** In the order of training; the first has step 0. */
  readonly points: readonly SchedulePoint<P>[];

  constructor(parameters: readonly (keyof P & string)[], points: readonly SchedulePoint<P>[]) {
    this.parameters = parameters;
    this.points = points;
  }

  /** A header line `step,…` and a line for each point, each ending in a line feed. Numbers keep every digit. */
  toCsv(): string {
    const lines = [
      ['step', ...this.parameters],
      ...this.points.map(({ step, values }) => [step, ...this.parameters.map((name) => values[name])]),
    ];
    return lines.map((line) => `${line.join(',')}\n`).join('');
  }
}

export function decodeSchedule<P extends ParameterMap>(schedule: proto.Schedule): Schedule<P> {
  const points = schedule.points.map(({ step, values }) => ({
    step,
    values: Object.fromEntries(schedule.parameters.map((name, i) => [name, values[i]])) as Values<P>,
  }));
  return new Schedule<P>(schedule.parameters, points);
}
