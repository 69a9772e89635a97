/** Search spaces whose types carry the names of their parameters. */

import type { Scale } from './enums.ts';

/** A hyperparameter that hypergradients move, between two bounds. */
export interface FloatParameter {
  readonly kind: 'float';
  /** Lower bound. */
  readonly min: number;
  /** Upper bound. */
  readonly max: number;
  /** Where it starts: strictly between the bounds for `logit`, between them otherwise. The contract calls it `initial`. */
  readonly init: number;
  /** The coordinate in which it moves. @default 'logit' */
  readonly scale?: Scale | undefined;
}

/** A hyperparameter with a value for each layer or class, all of which hypergradients move. */
export interface VectorParameter extends Omit<FloatParameter, 'kind'> {
  readonly kind: 'vector';
  /** What there is a value for: a layer of the model, or a class of the data set. The contract calls it `grouping`. */
  readonly per: 'layer' | 'class';
}

/** The weights of a small network, moved by hypergradients: it weights the loss of each example by its size. */
export interface NetworkParameter {
  readonly kind: 'network';
  /** @default 128 */
  readonly hiddenUnits?: number | undefined;
  /** Whether the weight counts as a constant when the training loss is differentiated. @default false */
  readonly detached?: boolean | undefined;
}

/** A hyperparameter that keeps its value. */
export interface FixedParameter {
  readonly kind: 'fixed';
  readonly value: number;
}

/** One hyperparameter. */
export type Parameter = FloatParameter | VectorParameter | NetworkParameter | FixedParameter;

/** Hyperparameters by name. */
export type ParameterMap = Readonly<Record<string, Parameter>>;

/** A search space. Its type knows the names, so that those of all values are checked by the compiler. */
export interface Space<P extends ParameterMap = ParameterMap> {
  readonly parameters: P;
}

/** A value for each hyperparameter, in natural units: a number, or numbers where it is a vector or a network. */
export type Values<P extends ParameterMap = ParameterMap> = { readonly [Name in keyof P]: ValueOf<P[Name]> };

type ValueOf<Kind extends Parameter> = Kind extends VectorParameter | NetworkParameter
  ? readonly number[]
  : number;

/**
 * Names of the components of a hypergradient: of the hyperparameters that move, followed by `/` and the layer, class or
 * weight where there are several.
 */
export type ComponentName<P extends ParameterMap = ParameterMap> = {
  [Name in keyof P & string]: P[Name] extends FixedParameter
    ? never
    : P[Name] extends VectorParameter | NetworkParameter
      ? `${Name}/${string}`
      : Name;
}[keyof P & string];

/** A hyperparameter that hypergradients move. */
export function float(options: Omit<FloatParameter, 'kind'>): FloatParameter {
  return { kind: 'float', ...options };
}

/** A hyperparameter with a value for each layer or class. All start at `init` and move on their own. */
export function vector(options: Omit<VectorParameter, 'kind'>): VectorParameter {
  return { kind: 'vector', ...options };
}

/** A small network that weights the loss of each example; for the hyperparameter `reweighting`. */
export function network(options: Omit<NetworkParameter, 'kind'> = {}): NetworkParameter {
  return { kind: 'network', ...options };
}

/** A hyperparameter that keeps its value. */
export function fixed(value: number): FixedParameter {
  return { kind: 'fixed', value };
}

/**
 * A search space: hyperparameters of the problem's optimizer and loss by name. The order is that of the hypergradient's
 * components. Hyperparameters that are not listed keep their default.
 */
export function space<P extends ParameterMap>(parameters: P): Space<P> {
  return { parameters };
}
