/** A search space as the outer loop moves in it: one unconstrained coordinate for each learned value. */

import {
  type FixedParameter,
  type FloatParameter,
  Grouping,
  type NetworkParameter,
  type Parameter,
  type ParameterValue,
  Scale,
  type ScheduledParameter,
  type SearchSpace,
} from '@glocal/proto/glocal/v1/study';
import type { HyperparameterValues, LearnedComponent } from '../inner/hyperparameter.ts';
import { hasValues, scheduledValues } from '../resource/scheduled-value.ts';
import { meanOf } from '../resource/values.ts';
import { type Coordinate, linear, log, logit, NETWORK_BOUND, networkWeight } from './coordinate.ts';

/** What vectors and networks have a value for. */
export interface SpaceShape {
  /** Names of the model's layers, in their order. */
  readonly layers: readonly string[];
  /** Number of classes. */
  readonly classes: number;
  /** Weights that a network with this many hidden units starts from. */
  initialNetwork(hiddenUnits: number): ArrayLike<number>;
  /** Inner steps of the training, which schedules may depend on. */
  readonly steps?: number;
}

/** The hyperparameter that makes a training diverge when it is too large. */
export const RATE = 'lr';
/** What is left of a rate that is lowered; never less than four such steps below where it started. */
const LOWERED = 0.1;
const LOWEST = LOWERED ** 4;
const ROUNDING = 1e-9;
/** How many hidden units of a network move by a whole step of the outer optimizer's, all together. */
const NETWORK_STEP = 4;

/** One learned value. */
interface Axis extends LearnedComponent {
  /** Name of the component: that of the hyperparameter, with `/` and the group where there are several values. */
  readonly component: string;
  readonly coordinate: Coordinate;
  /** Lower bound of the natural value. */
  readonly min: number;
  /** Natural value that it starts at. */
  readonly initial: number;
  /** phi of the initial value. */
  readonly start: number;
  /** What it makes of a step of the outer optimizer's. @default 1 */
  readonly stepShare?: number;
}

/** The natural value at phi. There and back costs a digit, so that the initial value is given back as it was given. */
const natural = ({ coordinate, initial, start }: Axis, phi: number): number =>
  phi === start ? initial : coordinate.toNatural(phi);

/** A hyperparameter with its values: learned ones are axes. */
interface Entry {
  readonly name: string;
  /** Whether it has one value, and not a vector of them. */
  readonly isScalar: boolean;
  readonly axes: readonly Axis[];
  /** Of one that hypergradients do not move: its values after so many inner steps. */
  readonly given: ((step: number) => readonly number[]) | undefined;
}

/** The search space of a trial (`study/trial-study.ts`), complete and checked, with its coordinates (docs/method.md, section 1). */
export class SearchPoint {
  /** Whether values change from inner step to inner step. */
  readonly isScheduled: boolean;
  /** Names of the components of phi and of a hypergradient, in the order of the space. */
  readonly components: string[];
  /** What each component makes of a step of the outer optimizer's (docs/method.md, section 7); undefined where all make all of it. */
  readonly stepShares: Float64Array | undefined;
  readonly #entries: readonly Entry[];
  readonly #axes: readonly Axis[];
  /** Whether a learning rate is learned. */
  readonly #hasRate: boolean;

  /** @throws CoordinateError when a bound or an initial value does not fit its scale: the space was not checked. */
  constructor(space: SearchSpace, shape: SpaceShape) {
    this.isScheduled = space.parameters.some(({ kind }) => kind?.$case === 'scheduled');
    this.#entries = space.parameters.map(({ name, kind }) => {
      switch (kind?.$case) {
        case 'fixed':
          return fixedEntry(name, kind.value, shape);
        case 'scheduled':
          return scheduledEntry(name, kind.value, shape);
        case 'float':
          return floatEntry(name, kind.value, shape);
        case 'network':
          return networkEntry(name, kind.value, shape);
        default:
          throw new TypeError(`parameter ${name} has no value; it is not a trial's space`);
      }
    });
    this.#axes = this.#entries.flatMap(({ axes }) => axes);
    this.#hasRate = this.#entries.some(({ name, axes }) => name === RATE && axes.length > 0);
    this.components = this.#axes.map(({ component }) => component);
    const shares = this.#axes.map(({ stepShare = 1 }) => stepShare);
    this.stepShares = shares.every((share) => share === 1) ? undefined : Float64Array.from(shares);
  }

  /** The same as entries of hyperparameters. */
  get learned(): LearnedComponent[] {
    return this.#axes.map(({ name, index }) => ({ name, index }));
  }

  /** phi of the initial values, `[q]`. */
  get initial(): Float64Array {
    return this.#point(({ start }) => start);
  }

  /**
   * Natural values of all hyperparameters, learned or not, in the order of the space.
   * @param step inner steps done before the one that they are for.
   */
  values(phi: Float64Array, step: number): ParameterValue[] {
    return this.#natural(phi, step).map(({ name, isScalar, values }) => ({
      name,
      value: meanOf(values),
      values: isScalar ? [] : values,
    }));
  }

  /** The same by name, for a training run. */
  trainingValues(phi: Float64Array, step: number): HyperparameterValues {
    return Object.fromEntries(this.#natural(phi, step).map(({ name, values }) => [name, values]));
  }

  /** dvalue/dphi of each component, `[q]`. */
  derivatives(phi: Float64Array): Float64Array {
    return this.#point(({ coordinate }, k) => coordinate.derivative(at(phi, k)));
  }

  /** The nearest point whose values are within the bounds. */
  clip(phi: Float64Array): Float64Array {
    return this.#point(({ coordinate }, k) => coordinate.clip(at(phi, k)));
  }

  /**
   * phi with other values of some hyperparameters.
   * @param values of hyperparameters that are learned, natural: of a vector `values`, or `value` for all of it.
   * @throws CoordinateError when a value is not within its bounds.
   */
  replace(phi: Float64Array, values: readonly ParameterValue[]): Float64Array {
    const given = new Map(values.map((value) => [value.name, value]));
    return this.#point(({ name, index, coordinate }, k) => {
      const { value, values: entries } = given.get(name) ?? {};
      const natural = entries?.[index] ?? value;
      return natural === undefined ? at(phi, k) : coordinate.toUnconstrained(natural);
    });
  }

  /**
   * phi with a tenth of all learned learning rates.
   * @returns undefined when there are none, or one cannot be lowered: for its lower bound, or as it has been lowered four times.
   */
  lowerRates(phi: Float64Array): Float64Array | undefined {
    if (!this.#hasRate) return undefined;
    const lowered = Float64Array.from(phi);
    for (const [k, { name, coordinate, min, initial }] of this.#axes.entries()) {
      if (name !== RATE) continue;
      const rate = coordinate.toNatural(at(phi, k)) * LOWERED;
      if (rate <= min || rate < initial * LOWEST * (1 - ROUNDING)) return undefined;
      lowered[k] = coordinate.toUnconstrained(rate);
    }
    return lowered;
  }

  /** An entry for each axis. Several times as fast as Float64Array.from, which counts with a hundred thousand of them. */
  #point(entry: (axis: Axis, k: number) => number): Float64Array {
    const point = new Float64Array(this.#axes.length);
    for (let k = 0; k < point.length; k++) point[k] = entry(this.#axes[k] as Axis, k);
    return point;
  }

  #natural(phi: Float64Array, step: number): { name: string; isScalar: boolean; values: number[] }[] {
    let k = 0;
    return this.#entries.map(({ name, isScalar, axes, given }) => ({
      name,
      isScalar,
      values: given === undefined ? axes.map((axis) => natural(axis, at(phi, k++))) : [...given(step)],
    }));
  }
}

function fixedEntry(name: string, { value, values, grouping }: FixedParameter, shape: SpaceShape): Entry {
  // Those of studies that were stored before vectors could be fixed have no grouping.
  const groups = groupNames({ grouping: grouping || Grouping.NONE, size: 0 }, shape);
  const all = values.length > 0 ? values : (groups ?? ['']).map(() => value);
  const isScalar = groups === undefined && values.length === 0;
  return { name, isScalar, axes: [], given: () => all };
}

function scheduledEntry(name: string, parameter: ScheduledParameter, shape: SpaceShape): Entry {
  const { schedule } = parameter;
  const { steps = Number.POSITIVE_INFINITY } = shape;
  // Only points may be of a vector; those of studies that were stored before they could have no grouping.
  const grouping = (schedule?.$case === 'points' && schedule.value.grouping) || Grouping.NONE;
  const groups = groupNames({ grouping, size: 0 }, shape);
  const isEach = hasValues(parameter);
  const given = (step: number): number[] => {
    const values = scheduledValues(parameter, step, steps);
    return isEach || groups === undefined ? values : groups.flatMap(() => values);
  };
  return { name, isScalar: groups === undefined && !isEach, axes: [], given };
}

function floatEntry(name: string, parameter: FloatParameter, shape: SpaceShape): Entry {
  const { min, max, initial, initials, scale } = parameter;
  if (initials.length > 0)
    throw new TypeError(`parameter ${name} has several values; it is not a trial's space`);
  const coordinate = makeCoordinate(scale, min, max);
  const start = coordinate.toUnconstrained(initial);
  const groups = groupNames(parameter, shape);
  return {
    name,
    isScalar: groups === undefined,
    axes: (groups ?? ['']).map((group, index) => ({
      name,
      index,
      component: groups === undefined ? name : `${name}/${group}`,
      coordinate,
      min,
      initial,
      start,
    })),
    given: undefined,
  };
}

/** All its weights move at once: with a whole step each, one update took its output from one end of the sigmoid to the other. */
function networkEntry(name: string, { hiddenUnits }: NetworkParameter, shape: SpaceShape): Entry {
  const stepShare = Math.min(1, NETWORK_STEP / hiddenUnits);
  return {
    name,
    isScalar: false,
    axes: Array.from(shape.initialNetwork(hiddenUnits), (weight, index) => ({
      name,
      index,
      component: `${name}/${index}`,
      coordinate: networkWeight,
      min: -NETWORK_BOUND,
      initial: weight,
      start: weight,
      stepShare,
    })),
    given: undefined,
  };
}

/** Undefined for one value. */
function groupNames(
  { grouping, size }: Pick<FloatParameter, 'grouping' | 'size'>,
  { layers, classes }: SpaceShape,
): readonly string[] | undefined {
  if (size > 0) return positions(size);
  switch (grouping) {
    case Grouping.NONE:
      return undefined;
    case Grouping.LAYER:
      return layers;
    case Grouping.CLASS:
      return positions(classes);
    default:
      throw new RangeError(`grouping ${grouping} has no groups; the space was not checked`);
  }
}

const positions = (length: number): string[] => Array.from({ length }, (_, position) => String(position));

/** The coordinate of a learned hyperparameter; undefined for one that does not move. */
export function coordinateOf({ kind }: Parameter): Coordinate | undefined {
  switch (kind?.$case) {
    case 'float':
      return makeCoordinate(kind.value.scale, kind.value.min, kind.value.max);
    case 'network':
      return networkWeight;
    default:
      return undefined;
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
