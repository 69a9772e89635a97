/** A search space as the outer loop moves in it: one unconstrained coordinate for each learned hyperparameter. */

import { type ParameterValue, Scale, type SearchSpace } from '@glocal/proto/glocal/v1/study';
import { initialValues } from '../study/values.ts';
import { type Coordinate, linear, log, logit } from './coordinate.ts';

interface Axis {
  readonly name: string;
  readonly coordinate: Coordinate;
  /** phi of the initial value. */
  readonly start: number;
}

/** A complete, checked search space (`study/specification.ts`) with its coordinates (docs/method.md, section 1). */
export class SearchPoint {
  readonly #initialValues: readonly ParameterValue[];
  readonly #axes: readonly Axis[];

  /** @throws CoordinateError when a bound or an initial value does not fit its scale: the space was not checked. */
  constructor(space: SearchSpace) {
    this.#initialValues = initialValues(space);
    this.#axes = space.parameters.flatMap(({ name, kind }) => {
      if (kind?.$case !== 'float') return [];
      const { min, max, initial, scale } = kind.value;
      const coordinate = makeCoordinate(scale, min, max);
      return [{ name, coordinate, start: coordinate.toUnconstrained(initial) }];
    });
  }

  /** Names of the learned hyperparameters: the components of phi and of a hypergradient, in the order of the space. */
  get components(): string[] {
    return this.#axes.map(({ name }) => name);
  }

  /** phi of the initial values, `[q]`. */
  get initial(): Float64Array {
    return Float64Array.from(this.#axes, ({ start }) => start);
  }

  /** Natural values of all hyperparameters, learned or not, in the order of the space. */
  values(phi: Float64Array): ParameterValue[] {
    const learned = new Map(
      this.#axes.map(({ name, coordinate }, k) => [name, coordinate.toNatural(at(phi, k))]),
    );
    return this.#initialValues.map(({ name, value }) => ({ name, value: learned.get(name) ?? value }));
  }

  /** dvalue/dphi of each component, `[q]`. */
  derivatives(phi: Float64Array): Float64Array {
    return Float64Array.from(this.#axes, ({ coordinate }, k) => coordinate.derivative(at(phi, k)));
  }

  /** The nearest point whose values are within the bounds. */
  clip(phi: Float64Array): Float64Array {
    return Float64Array.from(this.#axes, ({ coordinate }, k) => coordinate.clip(at(phi, k)));
  }
}

function makeCoordinate(scale: Scale, min: number, max: number): Coordinate {
  switch (scale) {
    case Scale.LOGIT:
      return logit(min, max);
    case Scale.LOG:
      return log(min, max);
    case Scale.LINEAR:
      return linear(min, max);
    default:
      throw new RangeError(`scale ${scale} has no coordinate; the space was not checked`);
  }
}

function at(phi: Float64Array, k: number): number {
  const value = phi[k];
  if (value === undefined)
    throw new RangeError(`phi has ${phi.length} components; component ${k} is missing`);
  return value;
}
