/** What a space says of the values of its trials, as types: names, and what each of them has. */

import type {
  BoolParameter,
  CategoricalParameter,
  ChoiceParameter,
  DiscreteParameter,
  FixedParameter,
  FloatParameter,
  GivenParameter,
  IntParameter,
  MovingParameter,
  NetworkParameter,
  Parameter,
  ParameterBranches,
  ParameterMap,
  PointsSchedule,
  ReplaySchedule,
  VectorParameter,
} from './space.ts';

/**
 * A value for each parameter that a trial has, in natural units: a number, numbers where it is a vector or a network, and of
 * what makes trials the trial's choice. Children of a `categorical` are there with their name only: `values.momentum` may be
 * undefined until `values.optimizer === 'sgd'` was asked; in a space with more than four parameters that have children, after that, too.
 */
export type Values<P extends ParameterMap = ParameterMap> = Point<P, 'values'>;

/**
 * {@link Values} of an outer step that may be too large for a message: undefined for a vector that was left out.
 * `study.outerStep(index)` reads it.
 */
export type SentValues<P extends ParameterMap = ParameterMap> = Point<P, 'sent'>;

/**
 * What a trial has of everything that makes trials: of an `int` or `discrete` a number, of a `bool` true or false, of a
 * `categorical` one of its names, of a `float` or `vector` with several initial values one of these.
 */
export type Choices<P extends ParameterMap = ParameterMap> = Point<P, 'choices'>;

/** Values for some of the hyperparameters that move; a number for a vector is one for all of its components. */
export type NewValues<P extends ParameterMap = ParameterMap> = {
  readonly [Name in MovingName<P>]?: [Extract<ParameterNamed<P, Name>, MovingParameter>] extends [
    FloatParameter,
  ]
    ? number
    : number | readonly number[];
};

/** Names of the hyperparameters that move. */
export type MovingName<P extends ParameterMap = ParameterMap> =
  | {
      [Name in keyof P & string]: P[Name] extends GivenParameter | ChoiceParameter ? never : Name;
    }[keyof P & string]
  | InBranches<P, 'moving'>;

/**
 * Names of the components of a hypergradient: of the hyperparameters that move, followed by `/` and the layer, class,
 * weight or position where there are several.
 */
export type ComponentName<P extends ParameterMap = ParameterMap> =
  | {
      [Name in keyof P & string]: P[Name] extends GivenParameter | ChoiceParameter
        ? never
        : P[Name] extends VectorParameter | NetworkParameter
          ? `${Name}/${string}`
          : Name;
    }[keyof P & string]
  | InBranches<P, 'components'>;

/** What there may be to know of a trial: its values, those of a step that may lack vectors, or its choices. */
type Knowing = 'values' | 'sent' | 'choices';

/** Of the parameters of a space, and of those children that exist together with them. */
type Point<P extends ParameterMap, What extends Knowing> = [BranchingName<P>] extends [never]
  ? Own<P, What>
  : HasMany<BranchingDeep<P>> extends true
    ? Own<P, What> & Loose<P, What>
    : Own<P, What> & Branched<P, What>;

type Own<P extends ParameterMap, What extends Knowing> = What extends 'choices'
  ? { readonly [Name in keyof P as ChoiceOf<P[Name]> extends undefined ? never : Name]: ChoiceOf<P[Name]> }
  : { readonly [Name in keyof P]: ValueOf<P[Name], What> };

type ChoiceOf<Kind extends Parameter> = Kind extends ChoiceParameter
  ? ChosenOf<Kind>
  : Kind extends { readonly init: infer Init }
    ? Init extends number
      ? undefined
      : number
    : undefined;

type ChosenOf<Kind extends ChoiceParameter> =
  Kind extends CategoricalParameter<infer Value>
    ? Value
    : Kind extends DiscreteParameter<infer Value>
      ? Value
      : Kind extends BoolParameter
        ? boolean
        : Kind extends IntParameter
          ? number
          : never;

type ValueOf<Kind extends Parameter, What extends Knowing> = Kind extends Several
  ? readonly number[] | (What extends 'sent' ? undefined : never)
  : Kind extends Replayed
    ? number | readonly number[] | (What extends 'sent' ? undefined : never)
    : Kind extends ChoiceParameter
      ? ChosenOf<Kind>
      : number;

/** What has several values. */
type Several =
  | VectorParameter
  | NetworkParameter
  | FixedParameter<readonly number[]>
  | PointsSchedule<readonly number[]>;

/** What has one value or several, as in another trial. */
interface Replayed {
  readonly replay: ReplaySchedule;
}

/** Parameters that have children; of a space that nothing is known of, none. */
type BranchingName<P extends ParameterMap> = string extends keyof P
  ? never
  : { [Name in keyof P]: P[Name] extends Branching ? Name : never }[keyof P];

/** The same, with those within branches. */
type BranchingDeep<P extends ParameterMap> =
  | BranchingName<P>
  | (BranchesOf<P> extends infer Child ? (Child extends ParameterMap ? BranchingDeep<Child> : never) : never);

/**
 * Whether there are more than four. The compiler has a type for each combination of branches, three to the power of ten for ten names
 * with three branches each, and with some thousands of them it gives up.
 */
type HasMany<Names, Counted extends readonly unknown[] = []> = [Names] extends [never]
  ? false
  : Counted['length'] extends 4
    ? true
    : HasMany<Exclude<Names, OneOf<Names>>, readonly [...Counted, unknown]>;

/** A member of a union, always the same one. */
type OneOf<Union> = (Union extends unknown ? (of: (member: Union) => void) => void : never) extends (
  of: infer Overloads,
) => void
  ? Overloads extends (member: infer Member) => void
    ? Member
    : never
  : never;

/** Children of all branches, whichever the trial has. */
type Loose<P extends ParameterMap, What extends Knowing> = What extends 'choices'
  ? {
      readonly [Name in InBranches<P, 'names'> as [
        Exclude<ChoiceOf<ParameterNamed<P, Name>>, undefined>,
      ] extends [never]
        ? never
        : Name]?: Exclude<ChoiceOf<ParameterNamed<P, Name>>, undefined>;
    }
  : { readonly [Name in InBranches<P, 'names'>]?: ValueOf<ParameterNamed<P, Name>, What> };

/** What has children. */
interface Branching<Children extends ParameterBranches = ParameterBranches> {
  readonly children: Children;
}

/** One of the branches of each parameter that has them: what all of these functions accept has each. */
type Branched<P extends ParameterMap, What extends Knowing> = {
  [Name in BranchingName<P>]: P[Name] extends Branching<infer Children>
    ? (branch: Branch<Name, Children, What>) => void
    : never;
}[BranchingName<P>] extends (branch: infer Both) => void
  ? Both
  : never;

/** A union whose members a comparison with the parent's name tells apart: names of other branches are not there. */
type Branch<Parent extends PropertyKey, Children extends ParameterBranches, What extends Knowing> = {
  [Value in keyof Children]: { readonly [Name in Parent]: Value } & Point<Children[Value], What> & {
      readonly [Name in Exclude<NamesOf<Children[keyof Children]>, NamesOf<Children[Value]>>]?: never;
    };
}[keyof Children];

/** Names of parameters, also of those within branches. */
type NamesOf<P extends ParameterMap> = P extends ParameterMap
  ? (keyof P & string) | InBranches<P, 'names'>
  : never;

/** Parameters of all branches, as a union of spaces. */
type BranchesOf<P extends ParameterMap> = {
  [Name in BranchingName<P>]: P[Name] extends Branching<infer Children> ? Children[keyof Children] : never;
}[BranchingName<P>];

/** Names within branches, of one sort. */
type InBranches<P extends ParameterMap, Sort extends 'names' | 'moving' | 'components'> =
  BranchesOf<P> extends infer Child
    ? Child extends ParameterMap
      ? { names: NamesOf<Child>; moving: MovingName<Child>; components: ComponentName<Child> }[Sort]
      : never
    : never;

/** What a name stands for, in any branch. */
type ParameterNamed<P extends ParameterMap, Name extends PropertyKey> = P extends ParameterMap
  ? (Name extends keyof P ? P[Name] : never) | ParameterInBranches<P, Name>
  : never;

type ParameterInBranches<P extends ParameterMap, Name extends PropertyKey> =
  BranchesOf<P> extends infer Child
    ? Child extends ParameterMap
      ? ParameterNamed<Child, Name>
      : never
    : never;
