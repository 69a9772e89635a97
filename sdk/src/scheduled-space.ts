/** A schedule that was found as parameters of a study that follows it. */

import { type FieldViolation, GlocalError } from './error.ts';
import { groupOf, nameOf, type ScheduleRows } from './schedule-rows.ts';
import type { FixedParameter, FixedValue, Parameter, ScheduledParameter, ScheduleKnot } from './space.ts';

/**
 * By their names: what never moves is fixed, the rest goes through points; vectors, too.
 * @param steps inner steps of the study that follows it
 * @param known what the trial had as its parameters, where that is known
 * @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, naming networks.
 */
export function givenParameters(
  schedule: ScheduleRows,
  steps: number = schedule.rows.at(-1)?.step ?? 0,
  known: ReadonlyMap<string, Parameter> = new Map(),
): Record<string, FixedParameter | ScheduledParameter> {
  const violations: FieldViolation[] = [];
  const given: Record<string, FixedParameter | ScheduledParameter> = {};
  for (const name of new Set(schedule.columns.map(nameOf))) {
    const columns = schedule.columns.flatMap((column, i) => (nameOf(column) === name ? [i] : []));
    const parameter = known.get(name);
    if (parameter?.kind === 'network') {
      violations.push({ field: name, description: 'is a network, whose weights cannot be given' });
      continue;
    }
    const groups = columns.flatMap((column) => groupOf(schedule.columns[column] as string) ?? []);
    const [start, ...moves] = changesWithin(schedule, columns, steps);
    const options = groups.length === 0 ? {} : vectorOptions(groups, parameter);
    const oneOrAll = ({ values }: Change): FixedValue =>
      groups.length === 0 ? (values[0] ?? Number.NaN) : values;
    given[name] =
      moves.length > 0
        ? { kind: 'scheduled', points: through([start, ...moves], oneOrAll), ...options }
        : { kind: 'fixed', value: oneOrAll(start), ...options };
  }
  if (violations.length > 0) throw GlocalError.invalid('NOT_ENCODABLE', violations);
  return given;
}

/** Values of a hyperparameter, and the first inner step that is made with them. */
interface Change {
  readonly step: number;
  readonly values: readonly number[];
}

/** A study of no steps is none; what a trial starts with is all that there is then. */
function changesWithin(
  { rows }: ScheduleRows,
  columns: readonly number[],
  steps: number,
): [start: Change, ...moves: Change[]] {
  const all = rows.map(({ step, values }) => ({
    step,
    values: columns.map((column) => values[column] ?? Number.NaN),
  }));
  const [start = { step: 0, values: columns.map(() => Number.NaN) }, ...later] = all;
  const moves = later.filter(
    ({ step, values }, i) => step < steps && values.some((value, j) => value !== all[i]?.values[j]),
  );
  return [start, ...moves];
}

/** As the trial had it; else layers have names, and classes numbers. */
function vectorOptions(
  groups: readonly string[],
  parameter: Parameter | undefined,
): Pick<FixedParameter, 'per'> {
  const isVector = parameter?.kind === 'vector' || parameter?.kind === 'fixed';
  if (isVector || (parameter?.kind === 'scheduled' && 'points' in parameter)) {
    return parameter.per === undefined ? {} : { per: parameter.per };
  }
  return { per: groups.every((group, i) => group === String(i)) ? 'class' : 'layer' };
}

/**
 * Values that are constant from one change to the next. As lines go through the points of a schedule, each value has two: at the
 * first and at the last step that are made with it.
 */
function through(changes: readonly Change[], oneOrAll: (change: Change) => FixedValue): ScheduleKnot[] {
  return changes.flatMap((change, i) => {
    const { step } = change;
    const value = oneOrAll(change);
    const last = (changes[i + 1]?.step ?? step + 1) - 1;
    return last === step
      ? [{ step, value }]
      : [
          { step, value },
          { step: last, value },
        ];
  });
}
