/** Vectors whose values are given, against the layers and classes that a problem has. */

import { Grouping, type Parameter, type SearchSpace } from '@glocal/proto/glocal/v1/study';
import { pathOf } from '../conditions.ts';
import type { Replays } from '../replays.ts';
import type { Checker } from './checker.ts';
import { checkCount } from './fixed.ts';

/** How many groups a problem has. */
interface Groups {
  readonly layers: number;
  readonly classes: number;
}

/**
 * Checks how many values each vector of a complete space is given.
 * @param all parameters of the study, by which messages name those of its trials
 * @param replays what was read of other trials, whose values are points now
 */
export function checkVectors(
  { parameters }: SearchSpace,
  all: readonly Parameter[],
  groups: Groups,
  replays: Replays | undefined,
  check: Checker,
): void {
  for (const parameter of parameters) {
    const { count, grouping, field } = givenValues(parameter) ?? {};
    const size = sizeOf(grouping, groups);
    if (count === undefined || size === undefined) continue;
    const path = pathOf(parameter, all);
    checkCount(count, size, `${path}.${replays?.has(path) ? 'replay' : field}`, check);
  }
}

/** How many values a vector has of its own, what each is for, and the field that has them. */
interface GivenValues {
  readonly count: number;
  readonly grouping: Grouping;
  readonly field: string;
}

function givenValues({ kind }: Parameter): GivenValues | undefined {
  if (kind?.$case === 'fixed' && kind.value.values.length > 0) {
    const { values, grouping } = kind.value;
    return { count: values.length, grouping, field: 'values' };
  }
  if (kind?.$case !== 'scheduled' || kind.value.schedule?.$case !== 'points') return undefined;
  const { points, grouping } = kind.value.schedule.value;
  const [first] = points;
  return first === undefined || first.values.length === 0
    ? undefined
    : { count: first.values.length, grouping, field: 'points.points[0].values' };
}

/** Undefined where there are no groups. */
function sizeOf(grouping: Grouping | undefined, { layers, classes }: Groups): number | undefined {
  if (grouping === Grouping.LAYER) return layers;
  return grouping === Grouping.CLASS ? classes : undefined;
}
