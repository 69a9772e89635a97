/**
 * What a study is to do, as the caller writes it. The server checks it and fills in the defaults stated here, all of
 * which are its own: what is left out is not sent. Where a default depends on the case, a later case counts more.
 */

import type {
  Anchor,
  Differentiation,
  DmdAbsence,
  Estimator,
  EvaluationPoint,
  OuterSchedule,
  RunMode,
  SamplingMethod,
  Scaling,
  Selection,
  Variant,
} from './enums.ts';
import type { ParameterMap, Space } from './space.ts';

/** What is trained; ids as in `client.problems()`. */
export interface Problem {
  readonly dataset: string;
  readonly model: string;
  readonly optimizer: string;
  /** Examples in a mini-batch. @default 128 */
  readonly batchSize?: number;
  /** Examples taken from the training part for validation. @default one tenth of the training part */
  readonly validationExamples?: number;
  /** Shift and scale inputs to mean 0 and deviation 1, by channel or by feature. @default what the data set says */
  readonly standardize?: boolean;
  /** Class c of C keeps floor(n / imbalanceFactor^(c/C)) training examples, n being those of the largest class. @default 1 */
  readonly imbalanceFactor?: number;
  /** Share of the training examples whose class is replaced by another one, drawn at random. @default 0 */
  readonly labelNoise?: number;
  /** Random changes of training images, which follow from the seed. @default none */
  readonly augmentation?: Augmentation;
  /** Id of a module, of a study that trains one (`ModuleProblem`). */
  readonly module?: string;
  /** Of the module. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** A module of the server's, which stands for data set, model and loss; ids and options as in `client.problems()`. */
export interface ModuleProblem {
  readonly module: string;
  /** As the module's schema says: plain data. @default none */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly optimizer: string;
  /** Examples in a mini-batch. @default 128 */
  readonly batchSize?: number;
}

/** Random changes of the images in a mini-batch. */
export interface Augmentation {
  /** Pixels of padding on each side before a random crop to the original size; 0 for no crop. @default 0 */
  readonly cropPadding?: number;
  /** Mirror half of the images left to right. @default false */
  readonly horizontalFlip?: boolean;
}

/** For how long to train, and with which seeds. */
export interface Training {
  /** Inner steps of each trial; a multiple of `method.window`, or with a larger `method.interval` at least that. */
  readonly steps: number;
  /** One trial each. A seed fixes initial weights, validation split and data order. @default [0] */
  readonly seeds?: readonly number[];
}

/** How a window's heading is estimated. */
export interface DmdOptions {
  /** @default 'affine' */
  readonly variant?: Variant;
  /** Hypergradients stacked in one observable. @default 10; with `affine`: 3; with a stride above 1: 2 */
  readonly delays?: number;
  /** 0: optimal hard threshold; below 1: share of energy; whole number: that rank; -1: all. @default -1; with `affine`: 3 */
  readonly svdRank?: number;
  /** A mode is steady when its eigenvalue per inner step lies closer to 1 than this. @default 0.1 */
  readonly tolerance?: number;
  /** `affine`: largest absolute eigenvalue per inner step of what decays. @default 0.9 */
  readonly clip?: number;
  /** `affine`: added to the squared singular values, as a share of the largest. @default 0.01; with a stride above 1: 0.001 */
  readonly ridge?: number;
  /**
   * What the last row of a component must have of its largest absolute value, with the estimate's sign, for the component to be
   * trusted, 0 to 1. At averaged weights .8 makes the verdict say something. @default 0
   */
  readonly lastShare?: number;
  /** @default 'component' */
  readonly scaling?: Scaling;
  /** `hankel`, `forward_backward`: which modes are part of the estimate. @default 'steady' */
  readonly selection?: Selection;
  /** `hankel`, `forward_backward`: the snapshot to which their amplitudes are fitted. @default 'first' */
  readonly anchor?: Anchor;
  /** Keep each mode's contribution, not only its norm. @default false */
  readonly includeContributions?: boolean;
}

/** Adam on the unconstrained coordinates of the hyperparameters. */
export interface OuterOptimizer {
  /** Step size. @default 0.6; with more than 40 updates: 0.6 x the square root of 40 / their number; with `exact`: half of that; with weights of classes or examples that are moved: half of that */
  readonly rate?: number;
  /** Decay of the first moment. @default 0.7; with `exact`: 0.9 */
  readonly beta1?: number;
  /** Decay of the second moment. @default 0.9; with `exact`: 0.999 */
  readonly beta2?: number;
  /** Added to the root of the second moment. @default 0.01; without `normalize`: 1e-8 */
  readonly epsilon?: number;
  /** How the rate changes over the outer steps. @default 'cosine'; with `exact`: 'constant' */
  readonly schedule?: OuterSchedule;
  /**
   * An outer step that raises the validation loss by more than this, in nats, is taken back once; 0 for never, and then, as without
   * `normalize`, a window that diverges moves nothing either.
   * @default 0.3; with `exact`: 0; with imbalanced classes: 0; with a loss in a unit of its own, that of a module or of a client: 0
   */
  readonly maxLossRise?: number;
  /**
   * Whether Adam gets hypergradients over the size of their window, the root mean square of the rows in the component where that is
   * largest, at most 2 either way: the step then does not depend on how steep the validation loss is.
   * @default true; with `exact`: false
   */
  readonly normalize?: boolean;
}

/** How the hyperparameters move. */
export interface Method {
  readonly estimator: Estimator;
  /** Inner steps of a window, and of an outer step unless `interval` is larger. @default 50; with `global`: `training.steps`; with a wished cost and weights of classes or examples that are moved: 25 */
  readonly window?: number;
  /**
   * Hypergradients of a window: at least `dmd.delays` + 1, at most as many as `window` has room for.
   * @default 20; with a stride above 1: as many as span 20 inner steps
   */
  readonly sigma?: number;
  /** Inner steps between two hypergradients of a window. @default 1; with a wished cost: 3 */
  readonly stride?: number;
  /** Weights at which hypergradients are taken: their running average, or the last ones as in the paper. @default 'averaged' */
  readonly evaluation?: EvaluationPoint;
  /**
   * Decay of the running average of the weights.
   * @default 0.98; with a wished cost: 0.95, or 0.9 where an optimizer divides its steps by the root mean square of gradients
   */
  readonly averaging?: number;
  /** Share of the sensitivity kept from one outer step to the next, 0 to 1. @default 0 */
  readonly sensitivityDiscount?: number;
  /** How hypergradients are computed. @default 'auto' */
  readonly differentiation?: Differentiation;
  /** Inner steps that reverse mode goes back; fewer than `window` are cheaper and not exact. @default `window` */
  readonly reverseSteps?: number;
  /** Validation examples drawn anew for each hypergradient; 0 for all of them. @default 0; with a wished cost: at most 500 */
  readonly validationSample?: number;
  /** Seed of that drawing. @default 0 */
  readonly validationSeed?: number;
  /**
   * Examples of each mini-batch that second derivatives are taken on, drawn for each step; the gradient that moves the weights is
   * that of the whole batch. 0 leaves second derivatives out: a control, not a hypergradient.
   * @default the batch; with a wished cost: what that pays
   */
  readonly tangentExamples?: number;
  /** `global`: trainings from scratch, each followed by an update. @default 0; with `global`: 10 */
  readonly trainings?: number;
  /**
   * What a trial may cost, in plain runs: trainings of as many steps without hypergradients. The server chooses those of
   * `tangentExamples`, `stride`, `sigma`, `validationSample`, `interval`, `warmupWindows` and `warmupWindowSteps` that are left out. Without it,
   * and where neither one of these nor `window`, `sensitivityDiscount` or `reverseSteps` is given, the wish is 1.35, or what twelve windows
   * cost. With `'exact'` it is as in the paper: windows in a row, the whole batch, every hypergradient, all validation examples, and
   * Adam as published.
   */
  readonly overhead?: number | 'exact';
  /** `glocal`: what happens when the DMD service gives no report in time. @default 'fall_back' */
  readonly dmdAbsence?: DmdAbsence;
  /**
   * Inner steps from the start of one window to the start of the next: at least `window`, at most `training.steps`. Those
   * between are plain steps, which cost no hypergradients, with the values of the update before.
   * @default `window`; with a wished cost: what that pays
   */
  readonly interval?: number;
  /** So many windows in a row at first, before `interval` holds. @default 1; with a wished cost: what that pays */
  readonly warmupWindows?: number;
  /**
   * Inner steps of each of these: shorter windows move the hyperparameters more often at first.
   * @default `window`; with a wished cost: what that pays
   */
  readonly warmupWindowSteps?: number;
  /** Used by the estimator `glocal`. */
  readonly dmd?: DmdOptions;
  readonly outer?: OuterOptimizer;
}

/**
 * Which trials a study has: a point is one initial value of each `float` and a value of each parameter that only makes
 * trials, and there is one trial for each seed at each point.
 */
export interface Sampling {
  /** How points are taken. @default 'grid' */
  readonly method?: SamplingMethod;
  /** How many points, for `random` and `sobol`. @default 0; with `random` or `sobol`: 10 */
  readonly points?: number;
  /** Seed of `random`, and of the shift of `sobol`. @default 0 */
  readonly seed?: number;
  /** Trials of this study that run at a time; 0 for as many as the server runs. @default 0 */
  readonly maxRunningTrials?: number;
}

/** What every study says, whoever trains. */
interface BaseStudySpec<P extends ParameterMap> {
  /** For people; at most 200 characters. @default empty */
  readonly displayName?: string;
  /** For programs, which ask `studies.list` for them: at most 64. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Whose trials start first among your studies: those of the study with the higher one, from -100 to 100. @default 0 */
  readonly priority?: number;
  readonly space: Space<P>;
  readonly training: Training;
  readonly method: Method;
  readonly sampling?: Sampling;
}

/** A study that the service trains. */
export interface StudySpec<P extends ParameterMap = ParameterMap> extends BaseStudySpec<P> {
  readonly problem: ProblemFor<P> | ModuleProblemFor<P>;
  /** Who decides after each window: the service, or with `driven` a client (`study.drive()`). @default 'managed' */
  readonly mode?: 'managed' | 'driven';
  /** `driven`: milliseconds that a trial waits for a decision before it is PAUSED. @default 600000 */
  readonly decisionTimeout?: number;
}

/** A study that a client trains and reports the hypergradients of (`study.report()`). It has no problem. */
export interface ExternalStudySpec<P extends ParameterMap = ParameterMap> extends BaseStudySpec<P> {
  readonly mode: 'external';
  /** Only as a study comes back from the server: with nothing in it. */
  readonly problem?: Partial<Problem>;
  readonly decisionTimeout?: number;
}

/** The problem without what the space has in its place. */
export type ProblemFor<P extends ParameterMap> = string extends keyof P
  ? Problem
  : Omit<Problem, ProblemId & keyof P> & Partial<Pick<Problem, ProblemId & keyof P>>;

/** The same of a module. */
export type ModuleProblemFor<P extends ParameterMap> = string extends keyof P
  ? ModuleProblem
  : Omit<ModuleProblem, ProblemId & keyof P> & Partial<Pick<ModuleProblem, 'optimizer' & keyof P>>;

type ProblemId = 'dataset' | 'model' | 'optimizer';

/** A study with every default filled in by the server. */
export interface CompleteStudySpec<P extends ParameterMap = ParameterMap> extends BaseStudySpec<P> {
  readonly displayName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly problem: Required<Omit<Problem, 'standardize' | 'augmentation' | 'options'>> &
    Pick<Problem, 'standardize' | 'options'> & { readonly augmentation: Required<Augmentation> };
  readonly training: Required<Training>;
  readonly method: Required<Omit<Method, 'tangentExamples' | 'overhead'>> & {
    /** Left out: the batch. */
    readonly tangentExamples?: number;
    readonly overhead?: number | 'exact';
    readonly dmd: Required<DmdOptions>;
    readonly outer: Required<OuterOptimizer>;
  };
  readonly sampling: Required<Sampling>;
  readonly mode: RunMode;
  /** 0 unless `driven`. */
  readonly decisionTimeout: number;
}
