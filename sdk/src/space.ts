/** Search spaces whose types carry the names of their parameters, and what each of them can be. */

import type { Scale } from './enums.ts';

/** One value, or several that each make trials. */
export type Initial = number | readonly number[];

/** A hyperparameter that hypergradients move, between two bounds. */
export interface FloatParameter<Init extends Initial = Initial> {
  readonly kind: 'float';
  /** Lower bound. */
  readonly min: number;
  /** Upper bound. */
  readonly max: number;
  /**
   * Where it starts: strictly between the bounds for `logit`, between them otherwise. Several values make trials, one for
   * each. The contract calls it `initial`, or `initials`.
   */
  readonly init: Init;
  /** The coordinate in which it moves. @default 'logit' */
  readonly scale?: Scale | undefined;
}

/** Options of {@link vector}. */
export type VectorOptions<Init extends Initial = Initial> = Omit<FloatParameter<Init>, 'kind'> &
  (GroupedVector | SizedVector);

interface GroupedVector {
  /** What there is a value for: a layer of the model, or a class of the data set. The contract calls it `grouping`. */
  readonly per: 'layer' | 'class';
  readonly size?: undefined;
}

interface SizedVector {
  /** How many values there are: of an external study as its client knows, of a module as `client.problems()` says. */
  readonly size: number;
  readonly per?: undefined;
}

/** A hyperparameter with several values, all of which hypergradients move. */
export type VectorParameter<Init extends Initial = Initial> = VectorOptions<Init> & {
  readonly kind: 'vector';
};

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

/** A whole number for each trial. */
export interface IntParameter {
  readonly kind: 'int';
  /** Smallest value. */
  readonly min: number;
  /** Largest value. */
  readonly max: number;
  /** Distance between two values, counted from `min`. @default 1 */
  readonly step?: number | undefined;
}

/** Yes or no for each trial. */
export interface BoolParameter {
  readonly kind: 'bool';
}

/** One of several names for each trial. */
export interface CategoricalParameter<Value extends string = string> {
  readonly kind: 'categorical';
  readonly values: readonly Value[];
}

/** One of several numbers for each trial. */
export interface DiscreteParameter<Value extends number = number> {
  readonly kind: 'discrete';
  readonly values: readonly Value[];
}

/** What hypergradients move. */
export type MovingParameter = FloatParameter | VectorParameter | NetworkParameter;

/** What has one value for the whole of a trial, and makes trials. */
export type ChoiceParameter = IntParameter | BoolParameter | CategoricalParameter | DiscreteParameter;

/** One hyperparameter, or one thing that differs between trials. */
export type Parameter = MovingParameter | FixedParameter | ChoiceParameter;

/** Hyperparameters by name. */
export type ParameterMap = Readonly<Record<string, Parameter>>;

/** A search space. Its type knows the names, so that those of all values are checked by the compiler. */
export interface Space<P extends ParameterMap = ParameterMap> {
  readonly parameters: P;
}

/**
 * A value for each hyperparameter that moves or is fixed, in natural units: a number, or numbers where it is a vector or a
 * network. What differs between trials is in {@link Choices}.
 */
export type Values<P extends ParameterMap = ParameterMap> = {
  readonly [Name in keyof P as P[Name] extends ChoiceParameter ? never : Name]: ValueOf<P[Name]>;
};

type ValueOf<Kind extends Parameter> = Kind extends VectorParameter | NetworkParameter
  ? readonly number[]
  : Kind extends ChoiceParameter
    ? never
    : number;

/**
 * {@link Values} of an outer step that may be too large for a message: undefined for a vector that was left out.
 * `study.outerStep(index)` reads it.
 */
export type SentValues<P extends ParameterMap = ParameterMap> = {
  readonly [Name in keyof P as P[Name] extends ChoiceParameter ? never : Name]: SentValueOf<P[Name]>;
};

type SentValueOf<Kind extends Parameter> = Kind extends VectorParameter | NetworkParameter
  ? readonly number[] | undefined
  : ValueOf<Kind>;

/** Values for some of the hyperparameters that move; a number for a vector is one for all of its components. */
export type NewValues<P extends ParameterMap = ParameterMap> = {
  readonly [Name in MovingName<P>]?: P[Name] extends FloatParameter ? number : number | readonly number[];
};

/** Names of the hyperparameters that move. */
export type MovingName<P extends ParameterMap = ParameterMap> = {
  [Name in keyof P & string]: P[Name] extends FixedParameter | ChoiceParameter ? never : Name;
}[keyof P & string];

/**
 * What a trial has of everything that makes trials: of an `int` or `discrete` a number, of a `bool` true or false, of a
 * `categorical` one of its names, of a `float` or `vector` with several initial values one of these.
 */
export type Choices<P extends ParameterMap = ParameterMap> = {
  readonly [Name in keyof P as ChoiceOf<P[Name]> extends undefined ? never : Name]: ChoiceOf<P[Name]>;
};

type ChoiceOf<Kind extends Parameter> =
  Kind extends CategoricalParameter<infer Value>
    ? Value
    : Kind extends DiscreteParameter<infer Value>
      ? Value
      : Kind extends BoolParameter
        ? boolean
        : Kind extends IntParameter
          ? number
          : Kind extends { readonly init: infer Init }
            ? Init extends number
              ? undefined
              : number
            : undefined;

/**
 * Names of the components of a hypergradient: of the hyperparameters that move, followed by `/` and the layer, class,
 * weight or position where there are several.
 */
export type ComponentName<P extends ParameterMap = ParameterMap> = {
  [Name in keyof P & string]: P[Name] extends FixedParameter | ChoiceParameter
    ? never
    : P[Name] extends VectorParameter | NetworkParameter
      ? `${Name}/${string}`
      : Name;
}[keyof P & string];

/** Whether it is one initial value or several is what a type has to know; which, is not. */
type Widened<Init extends Initial> = Init extends number ? number : readonly number[];

/** A hyperparameter that hypergradients move. */
export function float<Init extends Initial>(
  options: Omit<FloatParameter<Init>, 'kind'>,
): FloatParameter<Widened<Init>> {
  return { kind: 'float', ...options } as FloatParameter<Widened<Init>>;
}

/**
 * A hyperparameter with a value for each layer or class, or with `size` values. All start at `init` and move on their own;
 * several values in `init` make trials, in each of which all start at one of them.
 */
export function vector<Init extends Initial>(options: VectorOptions<Init>): VectorParameter<Widened<Init>> {
  return { kind: 'vector', ...options } as VectorParameter<Widened<Init>>;
}

/** A small network that weights the loss of each example; for the hyperparameter `reweighting`. */
export function network(options: Omit<NetworkParameter, 'kind'> = {}): NetworkParameter {
  return { kind: 'network', ...options };
}

/** A hyperparameter that keeps its value. */
export function fixed(value: number): FixedParameter {
  return { kind: 'fixed', value };
}

/** A whole number between two bounds, both included: one for each trial. */
export function int(options: Omit<IntParameter, 'kind'>): IntParameter {
  return { kind: 'int', ...options };
}

/** Yes or no: one for each trial. */
export function bool(): BoolParameter {
  return { kind: 'bool' };
}

/** One of several names for each trial, for instance `categorical(['sgd', 'adam'])` for `optimizer`. */
export function categorical<const Value extends string>(
  values: readonly Value[],
): CategoricalParameter<Value> {
  return { kind: 'categorical', values };
}

/** One of several numbers for each trial, for instance `discrete([64, 128])` for `batchSize`. */
export function discrete<const Value extends number>(values: readonly Value[]): DiscreteParameter<Value> {
  return { kind: 'discrete', values };
}

/**
 * A search space: hyperparameters of the problem's optimizer and loss by name. The order is that of the hypergradient's
 * components. Hyperparameters that are not listed keep their default. What makes trials may also be a field of the problem,
 * which is then not set there: `batchSize`, `optimizer`, `'augmentation.cropPadding'`.
 */
export function space<P extends ParameterMap>(parameters: P): Space<P> {
  return { parameters };
}
