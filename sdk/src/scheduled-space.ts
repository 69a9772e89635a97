/** A schedule that was found as parameters of a study that follows it. */

import { GlocalError } from './error.ts';
import { type Change, changesOf, isOfVector, type ScheduleRows } from './schedule-rows.ts';
import { type FixedParameter, fixed, type ScheduledParameter, scheduled } from './space.ts';

/**
 * By their names: what never moves is fixed, the rest goes through points.
 * @param steps inner steps of the study that follows it
 * @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, naming vectors.
 */
export function givenParameters(
  schedule: ScheduleRows,
  steps: number = schedule.rows.at(-1)?.step ?? 0,
): Record<string, FixedParameter<number> | ScheduledParameter> {
  const violations = schedule.columns
    .filter(isOfVector)
    .map((field) => ({ field, description: 'is of a vector, and a schedule is of one value' }));
  if (violations.length > 0) throw GlocalError.invalid('NOT_ENCODABLE', violations);
  return Object.fromEntries(
    schedule.columns.map((name, column) => {
      // A study of no steps is none; what a trial starts with is all that there is then.
      const [first, ...later] = changesOf(schedule, column);
      const changes = [first, ...later.filter(({ step }) => step < steps)] as Change[];
      return [name, changes.length === 1 ? fixed(first?.value ?? Number.NaN) : through(changes)];
    }),
  );
}

/**
 * Values that are constant from one change to the next. As lines go through the points of a schedule, each value has two: at the
 * first and at the last step that are made with it.
 */
function through(changes: readonly Change[]): ScheduledParameter {
  const points = changes.flatMap(({ step, value }, i) => {
    const last = (changes[i + 1]?.step ?? step + 1) - 1;
    return last === step
      ? [{ step, value }]
      : [
          { step, value },
          { step: last, value },
        ];
  });
  return scheduled({ points });
}
