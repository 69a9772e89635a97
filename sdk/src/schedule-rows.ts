/** A schedule as rows of numbers, and as the changes of each column. */

/** A number in each column, from an inner step on. */
export interface Row {
  /** Inner steps done before. */
  readonly step: number;
  readonly values: readonly number[];
}

export interface ScheduleRows {
  readonly columns: readonly string[];
  /** By rising steps, from 0 on. */
  readonly rows: readonly Row[];
}

/** A value, and the first inner step that is made with it. */
export interface Change {
  readonly step: number;
  readonly value: number;
}

/** Of one column: its first value, and each that differs from the one before. */
export function changesOf({ rows }: ScheduleRows, column: number): Change[] {
  const all = rows.map(({ step, values }) => ({ step, value: values[column] ?? Number.NaN }));
  return all.filter(({ value }, i) => value !== all[i - 1]?.value);
}

/** The hyperparameter that a column is of. */
export const nameOf = (column: string): string => column.split('/', 1)[0] as string;

/** What the column of a vector has the value of: a layer, or a position from 0 on. Undefined where there is one value. */
export const groupOf = (column: string): string | undefined =>
  column.includes('/') ? column.slice(column.indexOf('/') + 1) : undefined;
