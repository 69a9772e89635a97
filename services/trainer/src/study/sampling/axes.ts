/** The parameters of a space that make trials, each as a list of the values that it can have. */

import type { Choice, Condition, Parameter, SearchSpace } from '@glocal/proto/glocal/v1/study';
import { quote } from '../../resource/quote.ts';
import { exists } from '../conditions.ts';

/** One dimension of the points that trials are made of. */
export interface Axis {
  /** Of the parameter. */
  readonly name: string;
  /** With which values of an axis before it there is this one; absent where it always is. */
  readonly condition?: Condition | undefined;
  /** How many values there are. */
  readonly size: number;
  /** The value at a position from 0 to below `size`. */
  at(position: number): Choice;
}

/** A value for each parameter that makes trials and exists with those before it, in the order of the space. */
export type Point = Choice[];

/** Of a complete space. */
export const axesOf = ({ parameters }: SearchSpace): Axis[] =>
  parameters.flatMap((parameter) => {
    const axis = axisOf(parameter);
    const { condition } = parameter;
    return axis === undefined ? [] : { ...axis, ...(condition && { condition }) };
  });

/** Undefined for a parameter that makes no trials. */
export function axisOf({ name, kind }: Parameter): Axis | undefined {
  switch (kind?.$case) {
    case 'int': {
      const { min, max, step } = kind.value;
      const size = Math.floor((max - min) / step) + 1;
      return { name, size, at: (position) => number(name, min + position * step) };
    }
    case 'bool':
      return {
        name,
        size: 2,
        at: (position) => ({ name, value: { $case: 'flag', value: position === 1 } }),
      };
    case 'categorical':
      return listed(name, kind.value.values, (value) => ({ name, value: { $case: 'category', value } }));
    case 'discrete':
      return listed(name, kind.value.values, (value) => number(name, value));
    case 'float':
      return kind.value.initials.length === 0
        ? undefined
        : listed(name, kind.value.initials, (value) => number(name, value));
    default:
      return undefined;
  }
}

/** How many points there are: infinite when nobody could count them. */
export function combinations(axes: readonly Axis[]): number {
  const childrenOf = new Map<string | undefined, Axis[]>();
  for (const axis of axes) {
    const parent = axis.condition?.parameter;
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), axis]);
  }
  const product = (of: readonly Axis[]): number => of.reduce((all, axis) => all * count(axis), 1);
  /** Of an axis and those that are there with one of its values. */
  const count = (axis: Axis): number => {
    const children = childrenOf.get(axis.name);
    if (children === undefined) return axis.size;
    const choices = Array.from({ length: axis.size }, (_, position) => axis.at(position));
    return choices.reduce(
      (sum, choice) => sum + product(children.filter((child) => exists(child, [choice]))),
      0,
    );
  };
  return product(childrenOf.get(undefined) ?? []);
}

const number = (name: string, value: number): Choice => ({ name, value: { $case: 'number', value } });

const listed = <T>(name: string, values: readonly T[], choice: (value: T) => Choice): Axis => ({
  name,
  size: values.length,
  at: (position) => choice(values[position] as T),
});

/** A choice for a message. */
export const textOf = ({ name, value }: Choice): string =>
  `${name} ${value?.$case === 'category' ? quote(value.value) : value?.value}`;
