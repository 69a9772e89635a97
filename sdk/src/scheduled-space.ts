/** A schedule that was found as parameters of a study that follows it. */

import { type FieldViolation, GlocalError } from './error.ts';
import { type Change, changesOf, groupOf, nameOf, type ScheduleRows } from './schedule-rows.ts';
import { type FixedParameter, fixed, type Parameter, type ScheduledParameter, scheduled } from './space.ts';

/**
 * By their names: what never moves is fixed, a vector, too; the rest goes through points.
 * @param steps inner steps of the study that follows it
 * @param known what the trial had as its parameters, where that is known
 * @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, naming vectors that move, and networks.
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
    const changes = columns.map((column) => changesWithin(schedule, column, steps));
    const groups = columns.flatMap((column) => groupOf(schedule.columns[column] as string) ?? []);
    const moves = changes.some(({ length }) => length > 1);
    const values = changes.map(([first]) => first?.value ?? Number.NaN);
    if (groups.length === 0) given[name] = moves ? through(changes[0] ?? []) : fixed(values[0] ?? Number.NaN);
    else {
      const description = whyNotGiven(moves, known.get(name));
      if (description !== undefined) violations.push({ field: name, description });
      else given[name] = fixed(values, vectorOptions(groups, known.get(name)));
    }
  }
  if (violations.length > 0) throw GlocalError.invalid('NOT_ENCODABLE', violations);
  return given;
}

/** A study of no steps is none; what a trial starts with is all that there is then. */
function changesWithin(schedule: ScheduleRows, column: number, steps: number): Change[] {
  const [first, ...later] = changesOf(schedule, column);
  return [first, ...later.filter(({ step }) => step < steps)] as Change[];
}

function whyNotGiven(moves: boolean, parameter: Parameter | undefined): string | undefined {
  if (parameter?.kind === 'network') return 'is a network, whose weights cannot be given';
  return moves ? 'is a vector that moves, and a schedule is of one value' : undefined;
}

/** As the trial had it; else layers have names, and classes numbers. */
function vectorOptions(
  groups: readonly string[],
  parameter: Parameter | undefined,
): Pick<FixedParameter, 'per'> {
  if (parameter?.kind === 'vector' || parameter?.kind === 'fixed') {
    return parameter.per === undefined ? {} : { per: parameter.per };
  }
  return { per: groups.every((group, i) => group === String(i)) ? 'class' : 'layer' };
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
