/** A hyperparameter that moves between two bounds. */

import { type FloatParameter, Grouping, Scale } from '@glocal/proto/glocal/v1/study';
import type { HyperparameterInfo } from '@glocal/proto/glocal/v1/study_service';
import type { Checker } from './checker.ts';
import { SPACE } from './defaults.ts';
import { inDomain } from './domain.ts';

const MAX_INITIALS = 64;

export function completeFloat(
  requested: FloatParameter,
  path: string,
  infos: readonly HyperparameterInfo[],
  check: Checker,
): FloatParameter {
  const { min, max, initial, initials } = requested;
  const scale = requested.scale || SPACE.scale;
  check.oneOf(scale, Scale, `${path}.scale`);
  const grouping = completeGrouping(requested.grouping, `${path}.grouping`, infos, check);
  const finite = [finiteNumber(min, `${path}.min`, check), finiteNumber(max, `${path}.max`, check)];
  const starts = completeStarts(requested, path, check);
  if (!finite.includes(false) && starts !== undefined) {
    inDomain(min, `${path}.min`, infos, check);
    inDomain(max, `${path}.max`, infos, check);
    checkBounds({ min, max, scale }, starts, path, check);
  }
  const size = infos[0]?.size ?? 0;
  const told =
    size === 0 ? 'is for vectors of EXTERNAL studies and modules' : `is not ${size}, which the module has`;
  const isPossible = requested.size === 0 || requested.size === size || infos.length === 0;
  check.require(isPossible, `${path}.size`, `${told}; leave it out`);
  return { min, max, initial, scale, grouping, initials, size };
}

/** Where trials start. */
interface Starts {
  /** Of the field that states them. */
  readonly field: string;
  readonly values: readonly number[];
}

/** Undefined when they are no numbers. */
function completeStarts(
  { initial, initials }: FloatParameter,
  path: string,
  check: Checker,
): Starts | undefined {
  if (initials.length === 0) {
    const field = `${path}.initial`;
    return finiteNumber(initial, field, check) ? { field, values: [initial] } : undefined;
  }
  const field = `${path}.initials`;
  check.require(
    initial === 0,
    `${path}.initial`,
    `${initial} is not used where initials are given; leave it out`,
  );
  return checkList(initials, MAX_INITIALS, field, check) &&
    initials.every((value) => finiteNumber(value, field, check))
    ? { field, values: initials }
    : undefined;
}

/** Records a list that is too long or has something twice; tells whether it is neither. */
export function checkList(values: readonly unknown[], most: number, field: string, check: Checker): boolean {
  return (
    check.require(
      values.length <= most,
      field,
      `${values.length} values are more than the ${most} allowed`,
    ) && check.require(new Set(values).size === values.length, field, 'a value is repeated')
  );
}

/** Records a number that is not finite; tells whether it is. */
export const finiteNumber = (value: number, field: string, check: Checker): boolean =>
  check.require(Number.isFinite(value), field, `${value} is not finite`);

/** What there is a value for. */
export function completeGrouping(
  requested: Grouping,
  field: string,
  infos: readonly HyperparameterInfo[],
  check: Checker,
): Grouping {
  const grouping = requested || (infos[0]?.groupings[0] ?? Grouping.NONE);
  if (check.oneOf(grouping, Grouping, field)) {
    const refusing = infos.find(({ groupings }) => !groupings.includes(grouping));
    check.require(
      refusing === undefined,
      field,
      `${refusing?.name} has ${refusing?.groupings.map(groupingText).join(' or ')}, not ${groupingText(grouping)}`,
    );
  }
  return grouping;
}

function groupingText(grouping: Grouping): string {
  switch (grouping) {
    case Grouping.LAYER:
      return 'a value for each layer';
    case Grouping.CLASS:
      return 'a value for each class';
    default:
      return 'one value';
  }
}

function checkBounds(
  { min, max, scale }: Pick<FloatParameter, 'min' | 'max' | 'scale'>,
  { field, values }: Starts,
  path: string,
  check: Checker,
): void {
  if (!check.require(min < max, `${path}.min`, `${min} is not below max (${max})`)) return;
  if (scale === Scale.LOG) {
    check.require(min > 0, `${path}.min`, `${min} is not positive, as the scale LOG needs`);
  }
  const inside = 'the scale LOGIT starts strictly between the bounds';
  for (const value of values) {
    if (check.require(value >= min, field, `${value} is below min (${min})`)) {
      check.require(value > min || scale !== Scale.LOGIT, field, `${value} is min; ${inside}`);
    }
    if (check.require(value <= max, field, `${value} is above max (${max})`)) {
      check.require(value < max || scale !== Scale.LOGIT, field, `${value} is max; ${inside}`);
    }
  }
}
