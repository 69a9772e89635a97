/** Search spaces whose types carry the names of their parameters, and what each of them can be. */

import { inspect } from 'node:util';
import type { Scale } from './enums.ts';
import { spaceTable } from './space-print.ts';

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

/** A hyperparameter that keeps its value, or a vector that keeps its values. */
export interface FixedParameter<Value extends FixedValue = FixedValue> {
  readonly kind: 'fixed';
  /** The contract calls it `value`, or `values`. */
  readonly value: Value;
  /**
   * What each of several values is for: a layer of the model, or a class of the data set. Left out for a vector of a module's. The
   * contract calls it `grouping`.
   */
  readonly per?: 'layer' | 'class' | undefined;
}

/** One value, or those of a vector. */
export type FixedValue = number | readonly number[];

/**
 * A hyperparameter that follows a schedule, which is known beforehand; only with the estimator `fixed`. A vector follows points or
 * a replay.
 */
export type ScheduledParameter<Value extends FixedValue = FixedValue> = {
  readonly kind: 'scheduled';
} & ParameterSchedule<Value>;

/** Values by inner step: one of these. */
export type ParameterSchedule<Value extends FixedValue = FixedValue> =
  | PointsSchedule<Value>
  | ShapedSchedule
  | ReplayedSchedule;

type ShapedSchedule = { readonly cosine: CosineSchedule } | { readonly cooldown: CooldownSchedule };

interface ReplayedSchedule {
  readonly replay: ReplaySchedule;
}

/** Lines through points: of one value, or of each value of a vector. */
export interface PointsSchedule<Value extends FixedValue = FixedValue> {
  readonly points: readonly ScheduleKnot<Value>[];
  /**
   * What each value of a vector is for: a layer of the model, or a class of the data set. Left out for a vector of a module's. The
   * contract calls it `grouping`.
   */
  readonly per?: 'layer' | 'class' | undefined;
}

/** A point that lines go through: before the first and after the last of them a schedule is constant. */
export interface ScheduleKnot<Value extends FixedValue = FixedValue> {
  /** Inner steps done before; by rising steps. */
  readonly step: number;
  /** The value of the step that comes then; of a vector all its values, at every point. The contract calls them `values`. */
  readonly value: Value;
}

/** Rises linearly to a peak, then falls as half a cosine until the end. */
export interface CosineSchedule {
  readonly peak: number;
  /** Value at the end. @default 0 */
  readonly final?: number | undefined;
  /** Inner steps of the rise. @default 0 */
  readonly warmupSteps?: number | undefined;
}

/** Constant, and over the last steps 1 minus the square root of the share of them that is done times that. */
export interface CooldownSchedule {
  readonly value: number;
  /** Inner steps of the fall. @default one fifth of `training.steps`, rounded */
  readonly cooldownSteps?: number | undefined;
  /** Inner steps of a linear rise at the start. @default 0 */
  readonly warmupSteps?: number | undefined;
}

/** As another trial had it, step by step, a vector, too. The server reads it when the study is created, and then has it as points. */
export interface ReplaySchedule {
  /** Resource name of the trial, which has succeeded, with at least as many steps. */
  readonly trial: string;
  /** Its hyperparameter. @default the name of this parameter */
  readonly parameter?: string | undefined;
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
  /** Parameters that only trials with a certain name have, by that name. */
  readonly children?: ParameterBranches | undefined;
}

/** One of several names for each trial, each with parameters of its own. */
export interface BranchingParameter<Children extends ParameterBranches = ParameterBranches>
  extends CategoricalParameter<keyof Children & string> {
  readonly children: Children;
}

/** Parameters by the name with which they exist. */
export type ParameterBranches = Readonly<Record<string, ParameterMap>>;

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
export type Parameter = MovingParameter | GivenParameter | ChoiceParameter;

/** What is known beforehand for each inner step. */
export type GivenParameter = FixedParameter | ScheduledParameter;

/** Hyperparameters by name. */
export type ParameterMap = Readonly<Record<string, Parameter>>;

/** A search space. Its type knows the names, so that those of all values are checked by the compiler. */
export interface Space<P extends ParameterMap = ParameterMap> {
  readonly parameters: P;
  /** A line for each parameter, in columns; `console.log` prints it, too. */
  toString(): string;
}

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

/** A hyperparameter that keeps its value; or a vector that keeps its values, each for a layer or a class. */
export function fixed(value: number): FixedParameter<number>;
export function fixed(
  values: readonly number[],
  options?: Pick<FixedParameter, 'per'>,
): FixedParameter<readonly number[]>;
export function fixed(value: FixedValue, options: Pick<FixedParameter, 'per'> = {}): FixedParameter {
  return { kind: 'fixed', value, ...options };
}

/** One member of a union, with no key of another one. */
type OneOf<Union, Key extends PropertyKey = KeysOf<Union>> = Union extends unknown
  ? Union & { readonly [Other in Exclude<Key, keyof Union>]?: undefined }
  : never;
type KeysOf<Union> = Union extends unknown ? keyof Union : never;

/**
 * A hyperparameter that follows a schedule, for instance `scheduled({ cosine: { peak: 0.1, warmupSteps: 100 } })`; only with the
 * estimator `fixed`. A vector has arrays at its points: `scheduled({ points: [{ step: 0, value: [0.1, 0.2] }], per: 'layer' })`.
 */
export function scheduled<const Value extends FixedValue>(
  schedule: PointsSchedule<Value>,
): { readonly kind: 'scheduled' } & PointsSchedule<Widened<Value>>;
export function scheduled(schedule: ReplayedSchedule): { readonly kind: 'scheduled' } & ReplayedSchedule;
export function scheduled(schedule: OneOf<ShapedSchedule>): { readonly kind: 'scheduled' } & ShapedSchedule;
export function scheduled(schedule: OneOf<ParameterSchedule>): ScheduledParameter;
export function scheduled(schedule: ParameterSchedule): ScheduledParameter {
  return { kind: 'scheduled', ...schedule };
}

/** A whole number between two bounds, both included: one for each trial. */
export function int(options: Omit<IntParameter, 'kind'>): IntParameter {
  return { kind: 'int', ...options };
}

/** Yes or no: one for each trial. */
export function bool(): BoolParameter {
  return { kind: 'bool' };
}

/**
 * One of several names for each trial, for instance `categorical(['sgd', 'adam'])` for `optimizer`. Names may have parameters of
 * their own, which only their trials have: `categorical({ sgd: { momentum: float({ … }) }, adam: {} })`.
 */
export function categorical<const Value extends string>(
  values: readonly Value[],
): CategoricalParameter<Value>;
export function categorical<Children extends ParameterBranches>(
  children: Children,
): BranchingParameter<Children>;
export function categorical(names: readonly string[] | ParameterBranches): CategoricalParameter {
  return Array.isArray(names)
    ? { kind: 'categorical', values: names }
    : { kind: 'categorical', values: Object.keys(names), children: names as ParameterBranches };
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
  return new PrintedSpace(parameters);
}

class PrintedSpace<P extends ParameterMap> implements Space<P> {
  readonly parameters: P;

  constructor(parameters: P) {
    this.parameters = parameters;
  }

  toString(): string {
    return spaceTable(this.parameters);
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
