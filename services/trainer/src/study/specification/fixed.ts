/** A hyperparameter that keeps its value, or its values. */

import { type FixedParameter, Grouping } from '@glocal/proto/glocal/v1/study';
import type { HyperparameterInfo } from '@glocal/proto/glocal/v1/study_service';
import type { Checker } from './checker.ts';
import { inDomain } from './domain.ts';
import { completeGrouping, finiteNumber } from './float.ts';
import { MAX_COMPONENTS } from './size.ts';

export function completeFixed(
  requested: FixedParameter,
  path: string,
  infos: readonly HyperparameterInfo[],
  check: Checker,
): FixedParameter {
  const { value, values } = requested;
  const grouping = completeGrouping(requested.grouping, `${path}.grouping`, infos, check);
  const fits = (number: number, field: string): boolean =>
    finiteNumber(number, field, check) && inDomain(number, field, infos, check);
  if (values.length === 0) {
    fits(value, `${path}.value`);
    return { value, values, grouping };
  }
  check.require(value === 0, `${path}.value`, `${value} is not used where values are given; leave it out`);
  const size = infos[0]?.size ?? 0;
  check.require(
    grouping !== Grouping.NONE || size > 0 || infos.length === 0,
    `${path}.values`,
    'are for a vector; say by grouping what each is for, or give one value',
  );
  checkCount(values.length, size, `${path}.values`, check);
  if (values.length <= MAX_COMPONENTS) values.every((each, i) => fits(each, `${path}.values[${i}]`));
  return { value, values, grouping };
}

/**
 * Records values of a vector that are too few or too many; tells whether they are neither.
 * @param size components that there are; 0 while that is not known.
 */
export function checkCount(count: number, size: number, field: string, check: Checker): boolean {
  const most = size || MAX_COMPONENTS;
  const told = size === 0 ? `are more than ${most}` : `are not as many as the ${size} components`;
  return check.require(size === 0 ? count <= most : count === size, field, `${count} values ${told}`);
}
