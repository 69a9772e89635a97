/** The parameters of a space that make trials, each as a list of the values that it can have. */

import type { Choice, Parameter, SearchSpace } from '@glocal/proto/glocal/v1/study';

/** One dimension of the points that trials are made of. */
export interface Axis {
  /** Of the parameter. */
  readonly name: string;
  /** How many values there are. */
  readonly size: number;
  /** The value at a position from 0 to below `size`. */
  at(position: number): Choice;
}

/** A value for each parameter that makes trials, in the order of the space. */
export type Point = Choice[];

/** Of a complete space. */
export const axesOf = ({ parameters }: SearchSpace): Axis[] => parameters.flatMap((one) => axisOf(one) ?? []);

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
export const combinations = (axes: readonly Axis[]): number =>
  axes.reduce((product, { size }) => product * size, 1);

const number = (name: string, value: number): Choice => ({ name, value: { $case: 'number', value } });

const listed = <T>(name: string, values: readonly T[], choice: (value: T) => Choice): Axis => ({
  name,
  size: values.length,
  at: (position) => choice(values[position] as T),
});
