/** A hyperparameter that keeps its value, or its values. */

import {
  type FixedParameter,
  Grouping,
  type Parameter,
  type SearchSpace,
} from '@glocal/proto/glocal/v1/study';
import type { HyperparameterInfo } from '@glocal/proto/glocal/v1/study_service';
import { pathOf } from '../conditions.ts';
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
  const grouping = completeGrouping(requested.grouping, path, infos, check);
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
  checkCount(values.length, size, path, check);
  if (values.length <= MAX_COMPONENTS) values.every((each, i) => fits(each, `${path}.values[${i}]`));
  return { value, values, grouping };
}

/**
 * Checks the values of vectors against the layers and classes that a problem has.
 * @param all parameters of the study, by which messages name those of its trials
 */
export function checkVectors(
  { parameters }: SearchSpace,
  all: readonly Parameter[],
  groups: { readonly layers: number; readonly classes: number },
  check: Checker,
): void {
  for (const parameter of parameters) {
    const { kind } = parameter;
    if (kind?.$case !== 'fixed' || kind.value.values.length === 0) continue;
    const { values, grouping } = kind.value;
    const path = pathOf(parameter, all);
    if (grouping === Grouping.LAYER) checkCount(values.length, groups.layers, path, check);
    if (grouping === Grouping.CLASS) checkCount(values.length, groups.classes, path, check);
  }
}

/** @param size components that there are; 0 while that is not known. */
function checkCount(count: number, size: number, path: string, check: Checker): void {
  const most = size || MAX_COMPONENTS;
  const told = size === 0 ? `are more than ${most}` : `are not as many as the ${size} components`;
  check.require(size === 0 ? count <= most : count === size, `${path}.values`, `${count} values ${told}`);
}
