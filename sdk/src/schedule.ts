/** The trajectory of a trial's hyperparameters. */

import type * as proto from '@glocal/proto/glocal/v1/study_service';
import { collect, pages } from './pages.ts';
import type { ParameterMap, Values } from './space.ts';

/** Values that hold from an inner step on. */
export interface SchedulePoint<P extends ParameterMap = ParameterMap> {
  /** Number of inner steps done when the values took effect. */
  readonly step: number;
  readonly values: Values<P>;
}

/** A number in each column, from an inner step on. */
interface Row {
  readonly step: number;
  readonly values: readonly number[];
}

/** The values of a trial's hyperparameters, from its start to now. */
export class Schedule<P extends ParameterMap = ParameterMap> {
  /** Columns of {@link toCsv}: the hyperparameters, with `/` and the layer, class or weight where one has several values. */
  readonly columns: readonly string[];
  /** In the order of training; the first has step 0. */
  readonly points: readonly SchedulePoint<P>[];
  readonly #rows: readonly Row[];

  /** @internal */
  constructor(columns: readonly string[], rows: readonly Row[]) {
    this.columns = columns;
    this.#rows = rows;
    this.points = rows.map(({ step, values }) => ({ step, values: byName<P>(columns, values) }));
  }

  /** A header line `step,…` and a line for each point, each ending in a line feed. Numbers keep every digit. */
  toCsv(): string {
    const lines = [['step', ...this.columns], ...this.#rows.map(({ step, values }) => [step, ...values])];
    return lines.map((line) => `${line.join(',')}\n`).join('');
  }
}

/** All pages of a schedule as one, in their order. */
export async function joinSchedule<P extends ParameterMap>(
  fetch: (pageToken: string) => Promise<proto.Schedule>,
): Promise<Schedule<P>> {
  let columns: readonly string[] = [];
  const points = pages(async (pageToken) => {
    const page = await fetch(pageToken);
    columns = page.parameters;
    return { items: page.points, nextPageToken: page.nextPageToken };
  });
  const rows = await collect(points);
  return new Schedule<P>(columns, rows);
}

/** Columns of one hyperparameter together, in their order. */
function byName<P extends ParameterMap>(columns: readonly string[], values: readonly number[]): Values<P> {
  const named = new Map<string, number | number[]>();
  columns.forEach((column, i) => {
    const [name = '', ...of] = column.split('/');
    const value = values[i] ?? Number.NaN;
    const before = named.get(name);
    if (Array.isArray(before)) before.push(value);
    else named.set(name, of.length > 0 ? [value] : value);
  });
  return Object.fromEntries(named) as Values<P>;
}
