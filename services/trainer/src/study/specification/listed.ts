/** The parameters that a space lists: their names, and in which trials they exist. */

import type { Parameter, SearchSpace } from '@glocal/proto/glocal/v1/study';
import { listed as listedNames, quote } from '../../resource/quote.ts';
import { excludeEachOther, pathOf } from '../conditions.ts';
import type { Checker } from './checker.ts';
import { checkList } from './float.ts';

const MAX_PARAMETERS = 64;

export interface ListedParameter {
  readonly parameter: Parameter;
  /** What messages call it. */
  readonly path: string;
}

/**
 * As many as a space may have, each checked before the next one is asked for.
 * @param nameFault what is wrong with a name; undefined when it may be one.
 */
export function* listedParameters(
  requested: SearchSpace | undefined,
  nameFault: (name: string) => string | undefined,
  check: Checker,
): Generator<ListedParameter> {
  const listed = requested?.parameters ?? [];
  check.require(
    listed.length <= MAX_PARAMETERS,
    'space.parameters',
    `${listed.length} are more than the ${MAX_PARAMETERS} that a space may have`,
  );
  const before: Parameter[] = [];
  for (const [position, parameter] of listed.slice(0, MAX_PARAMETERS).entries()) {
    const fault = nameFault(parameter.name);
    const path = fault === undefined ? pathOf(parameter, before) : `space.parameters[${position}]`;
    check.require(fault === undefined, path, fault ?? '');
    const isKnown = checkCondition(parameter, before, path, check);
    check.require(!isKnown || !clashes(parameter, before), path, 'is listed twice');
    before.push(parameter);
    yield { parameter, path };
  }
}

/** Whether a trial may have another parameter of this name, or others depend on one of it. */
function clashes(parameter: Parameter, before: readonly Parameter[]): boolean {
  const namesakes = before.filter(({ name }) => name === parameter.name);
  return (
    namesakes.some((other) => !excludeEachOther(parameter, other, before)) ||
    (namesakes.length > 0 && before.some(({ condition }) => condition?.parameter === parameter.name))
  );
}

/** Records what is wrong with a condition; tells whether nothing is. */
function checkCondition(
  parameter: Parameter,
  before: readonly Parameter[],
  path: string,
  check: Checker,
): boolean {
  const { condition } = parameter;
  if (condition === undefined) return true;
  const field = `${path}.condition`;
  const { parameter: name, values } = condition;
  const named = before.filter((other) => other.name === name);
  const kind = named.length === 1 ? named[0]?.kind : undefined;
  if (kind?.$case !== 'categorical') {
    const why = named.length === 1 ? 'is not categorical' : 'is not the name of one parameter before it';
    return check.require(false, `${field}.parameter`, `${quote(name)} ${why}`);
  }
  const known = kind.value.values;
  const unknown = values.find((value) => !known.includes(value));
  return (
    check.require(values.length > 0, `${field}.values`, 'has no values') &&
    checkList(values, known.length, `${field}.values`, check) &&
    check.require(
      unknown === undefined,
      `${field}.values`,
      `${quote(unknown ?? '')} is none of the values of ${name}; one of ${listedNames(known)}`,
    )
  );
}
