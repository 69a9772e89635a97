/** Search spaces whose types carry the names of their parameters. */

import type { Scale } from './enums.ts';

/** A hyperparameter that hypergradients move, between two bounds. */
export interface FloatParameter {
  readonly kind: 'float';
  /** Lower bound. */
  readonly min: number;
  /** Upper bound. */
  readonly max: number;
  /** Where it starts: strictly between the bounds for `logit`, between them otherwise. */
  readonly init: number;
  /** The coordinate in which it moves. @default 'logit' */
  readonly scale?: Scale | undefined;
}

/** A hyperparameter that keeps its value. */
export interface FixedParameter {
  readonly kind: 'fixed';
  readonly value: number;
}

/** One hyperparameter. */
export type Parameter = FloatParameter | FixedParameter;

/** Hyperparameters by name. */
export type ParameterMap = Readonly<Record<string, Parameter>>;

/** A search space. Its type knows the names, so that those of all values are checked by the compiler. */
export interface Space<P extends ParameterMap = ParameterMap> {
  readonly parameters: P;
}

/** A value for each hyperparameter, in natural units. */
export type Values<P extends ParameterMap = ParameterMap> = { readonly [Name in keyof P]: number };

/** Names of the hyperparameters that hypergradients move: the components of a hypergradient. */
export type ComponentName<P extends ParameterMap = ParameterMap> = {
  [Name in keyof P]: P[Name] extends FixedParameter ? never : Name;
}[keyof P] &
  string;

/** A hyperparameter that hypergradients move. */
export function float(options: Omit<FloatParameter, 'kind'>): FloatParameter {
  return { kind: 'float', ...options };
}

/** A hyperparameter that keeps its value. */
export function fixed(value: number): FixedParameter {
  return { kind: 'fixed', value };
}

/**
 * A search space: hyperparameters of the problem's optimizer by name. The order is that of the hypergradient's
 * components. Hyperparameters that are not listed keep the optimizer's default.
 */
export function space<P extends ParameterMap>(parameters: P): Space<P> {
  return { parameters };
}
