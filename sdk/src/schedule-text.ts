/** Schedules as CSV, with as many digits as numbers need to be read as the same, and as JSON. */

import { counted } from './counted.ts';
import { GlocalError } from './error.ts';
import { parsed } from './json.ts';
import type { Row, ScheduleRows } from './schedule-rows.ts';

/** What `schedule.toJson()` gives. */
export interface ScheduleJson {
  readonly columns: readonly string[];
  readonly points: readonly {
    /** Inner steps done when the values took effect. */
    readonly step: number;
    /** In the order of the columns. */
    readonly values: readonly number[];
  }[];
}

export function writeCsv({ columns, rows }: ScheduleRows): string {
  const lines = [['step', ...columns], ...rows.map(({ step, values }) => [step, ...values])];
  return lines.map((line) => `${line.join(',')}\n`).join('');
}

/** @throws GlocalError INVALID_ARGUMENT, reason NOT_READABLE */
export function readCsv(csv: string): ScheduleRows {
  const [header = '', ...lines] = csv.trimEnd().split(/\r?\n/);
  const [first, ...columns] = header.split(',');
  if (first !== 'step') throw unreadable('line 1', 'does not begin with step');
  const rows = lines.map((line) => {
    const [step = Number.NaN, ...values] = line.split(',').map(numberOf);
    return { step, values };
  });
  return checked({ columns, rows }, (i) => `line ${i + 2}`);
}

/** `Number` takes an empty cell for 0. */
const numberOf = (cell: string): number => (cell.trim() === '' ? Number.NaN : Number(cell));

/** @throws GlocalError INVALID_ARGUMENT, reason NOT_READABLE */
export function readJson(json: unknown): ScheduleRows {
  const { columns, points } = (parsed(json, 'schedule') ?? {}) as Partial<
    Record<keyof ScheduleJson, unknown>
  >;
  if (!Array.isArray(columns) || !columns.every((column) => typeof column === 'string')) {
    throw unreadable('columns', 'is not a list of names');
  }
  if (!Array.isArray(points)) throw unreadable('points', 'is not a list');
  const rows = points.map((point: Partial<Row> | null) => {
    const { step = Number.NaN, values } = point ?? {};
    return { step, values: Array.isArray(values) ? values : [] };
  });
  return checked({ columns, rows }, (i) => `points[${i}]`);
}

/** @param placeOf where a row is, for people. */
function checked(schedule: ScheduleRows, placeOf: (row: number) => string): ScheduleRows {
  const { columns, rows } = schedule;
  if (rows.length === 0) throw unreadable('', 'the schedule has no points');
  rows.forEach((row, i) => {
    const wrong = whatIsWrong(row, columns.length, rows[i - 1]?.step);
    if (wrong !== undefined) throw unreadable(placeOf(i), wrong);
  });
  return schedule;
}

function whatIsWrong({ step, values }: Row, columns: number, before: number | undefined): string | undefined {
  if (!Number.isSafeInteger(step)) return 'has no whole number of steps';
  if (before === undefined && step !== 0) return `has step ${step}, and a schedule begins with 0`;
  if (before !== undefined && step <= before) return `has step ${step}, which does not come after ${before}`;
  if (values.length !== columns)
    return `has ${counted(values.length, 'value')} for ${counted(columns, 'column')}`;
  return values.every(Number.isFinite) ? undefined : 'has a value that is not a finite number';
}

const unreadable = (field: string, description: string, cause?: unknown): GlocalError =>
  GlocalError.invalid('NOT_READABLE', [{ field, description }], cause);
