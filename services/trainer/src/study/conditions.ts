/** Parameters that exist in some trials of a study only (Parameter.condition). */

import type { Choice, Parameter, SearchSpace } from '@glocal/proto/glocal/v1/study';
import { printable, startOf } from '../resource/quote.ts';

/** Whether a parameter exists where these choices were made: a parent that does not exist has none. */
export const exists = ({ condition }: Pick<Parameter, 'condition'>, choices: readonly Choice[]): boolean => {
  if (condition === undefined) return true;
  const { value } = choices.find(({ name }) => name === condition.parameter) ?? {};
  return value?.$case === 'category' && condition.values.includes(value.value);
};

/** A completed parameter, which exists where it was asked to. */
export const withCondition = (completed: Parameter, { condition }: Parameter): Parameter => ({
  ...completed,
  ...(condition !== undefined && { condition }),
});

/** The space of trials that have made these choices. */
export const spaceAt = ({ parameters }: SearchSpace, choices: readonly Choice[]): SearchSpace => ({
  parameters: parameters.filter((parameter) => exists(parameter, choices)),
});

/** A parameter that another one depends on, with those before it. */
interface Parent {
  readonly parameter: Parameter;
  readonly before: readonly Parameter[];
}

/** Of a space in which a parent comes before its children; a name that others depend on is that of one parameter. */
function parentOf({ condition }: Parameter, parameters: readonly Parameter[]): Parent | undefined {
  const position = parameters.findIndex(({ name }) => name === condition?.parameter);
  const parameter = parameters[position];
  return parameter && { parameter, before: parameters.slice(0, position) };
}

/** Characters of a value that a path has. */
const SHOWN = 40;

/**
 * What messages call a parameter: `space.lr`, or with the values of others that it exists with, `space.optimizer.sgd.momentum`.
 * @param parameters those before it, at least
 */
export function pathOf(parameter: Parameter, parameters: readonly Parameter[]): string {
  const parent = parentOf(parameter, parameters);
  const [value] = parameter.condition?.values ?? [];
  return parent === undefined || value === undefined
    ? `space.${parameter.name}`
    : `${pathOf(parent.parameter, parent.before)}.${printable(startOf(value, SHOWN))}.${parameter.name}`;
}

/** Values of others with which a parameter exists, by their names. */
export function requirements(
  parameter: Parameter,
  parameters: readonly Parameter[],
): Map<string, readonly string[]> {
  const parent = parentOf(parameter, parameters);
  const { condition } = parameter;
  if (parent === undefined || condition === undefined) return new Map();
  return requirements(parent.parameter, parent.before).set(parent.parameter.name, condition.values);
}

/** Whether no trial can have both parameters. */
export function excludeEachOther(
  one: Parameter,
  other: Parameter,
  parameters: readonly Parameter[],
): boolean {
  const others = requirements(other, parameters);
  return [...requirements(one, parameters)].some(
    ([name, values]) => others.get(name)?.every((value) => !values.includes(value)) === true,
  );
}
