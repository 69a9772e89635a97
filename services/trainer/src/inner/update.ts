/** One step of an inner optimizer, s' = Θ(s, g, values), and its derivatives in both directions (docs/method.md, section 2). */

import type { Layer } from './hyperparameter.ts';
import type { InnerOptimizer, Rows } from './optimizer.ts';
import { generalUpdate } from './update-general.ts';
import { linearUpdates } from './update-linear.ts';

/** Numbers of one hyperparameter by name; of its values, `[n]`: one, or one for each layer. */
export type Numbers = ReadonlyMap<string, Float64Array>;

/** Where an update is taken. */
export interface UpdatePoint {
  /** Weights, then buffers, each `[1, p]`. */
  readonly state: readonly Rows[];
  /** Gradient of the training loss, `[1, p]`. */
  readonly gradient: Rows;
}

/** c directions of everything that an update depends on; null and missing ones are zero. At least one is not. */
export interface Directions {
  readonly count: number;
  /** As the state, each `[c, p]`. */
  readonly state: readonly Rows[] | null;
  readonly gradient: Rows | null;
  /** Of the values, each `[c, n]` row-major. */
  readonly values: Numbers;
}

/** The next state, and its derivatives along the directions. */
export interface Pushed {
  readonly state: Rows[];
  /** As the state, each `[c, p]`. */
  readonly directions: Rows[];
}

/** Derivatives of m linear functions of the next state. */
export interface Pulled {
  /** With respect to the state, each `[m, p]`. */
  readonly state: Rows[];
  /** With respect to the gradient, `[m, p]`. */
  readonly gradient: Rows;
  /** With respect to the wanted values, each `[m, n]` row-major. */
  readonly values: Numbers;
}

/** Θ for the values of one step. Answers are the caller's scope's. */
export interface Update {
  /** Where the gradient is taken; without it at the weights. */
  readonly gradientPoint: GradientPoint | undefined;
  /** The next state, each `[1, p]`. */
  apply(point: UpdatePoint): Rows[];
  /** dΘ times directions: forward mode. */
  pushforward(point: UpdatePoint, directions: Directions): Pushed;
  /**
   * Adjoints times dΘ: reverse mode.
   * @param adjoints of the next state, each `[m, p]`.
   * @param wanted names of the values that derivatives are wanted of.
   */
  pullback(point: UpdatePoint, adjoints: readonly Rows[], wanted: readonly string[]): Pulled;
}

/** The point at which a gradient is taken as a function of the state and the values, with its derivatives. */
export interface GradientPoint {
  /** `[1, p]`. */
  apply(state: readonly Rows[]): Rows;
  /** @returns the point, and its derivatives along the directions, `[c, p]`. */
  pushforward(
    state: readonly Rows[],
    directions: Omit<Directions, 'gradient'>,
  ): { readonly point: Rows; readonly directions: Rows };
  /** @param adjoints of the point, `[m, p]`. */
  pullback(state: readonly Rows[], adjoints: Rows, wanted: readonly string[]): Omit<Pulled, 'gradient'>;
}

/** Makes the update of a step from the values of the optimizer's hyperparameters, each `[1]` or `[layers]`. */
export type UpdateFactory = (values: Numbers) => Update;

/** By matrices where the optimizer is linear and no value differs by layer, else by differentiating Θ. */
export function updatesOf(optimizer: InnerOptimizer, layers: readonly Layer[]): UpdateFactory {
  const linear = optimizer.isLinear ? linearUpdates(optimizer) : undefined;
  return (values) => {
    const isScalar = [...values.values()].every(({ length }) => length === 1);
    return linear && isScalar ? linear(values) : generalUpdate(optimizer, layers, values);
  };
}
