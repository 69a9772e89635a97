/** What a study is to do, as the caller writes it. The server checks it and fills its defaults in. */

import type { Estimator, Scaling } from './enums.ts';
import type { ParameterMap, Space } from './space.ts';

/** What is trained; ids as in `client.problems()`. */
export interface Problem {
  readonly dataset: string;
  readonly model: string;
  readonly optimizer: string;
  /** Examples in a mini-batch. @default 128 */
  readonly batchSize?: number;
  /** Examples taken from the training part for validation. @default one tenth of it */
  readonly validationExamples?: number;
}

/** For how long to train, and with which seeds. */
export interface Training {
  /** Inner steps of each trial; a multiple of `method.window`. */
  readonly steps: number;
  /** One trial each. A seed fixes initial weights, validation split and data order. @default [0] */
  readonly seeds?: readonly number[];
}

/** Options of the dynamic mode decomposition. */
export interface DmdOptions {
  /** Hypergradients stacked in one observable. @default 10 */
  readonly delays?: number;
  /** 0: optimal hard threshold; below 1: share of energy; whole number: that rank; -1: all. @default -1 */
  readonly svdRank?: number;
  /** A mode is steady when its eigenvalue lies closer to 1 than this. @default 0.1 */
  readonly tolerance?: number;
  /** @default 'component' */
  readonly scaling?: Scaling;
  /** Keep each mode's contribution, not only its norm. @default false */
  readonly includeContributions?: boolean;
}

/** Adam on the unconstrained coordinates of the hyperparameters. */
export interface OuterOptimizer {
  /** Step size. @default 0.3 for up to 40 outer steps, falling with the square root of their number beyond */
  readonly rate?: number;
  /** Decay of the first moment. @default 0.9 */
  readonly beta1?: number;
  /** Decay of the second moment. @default 0.999 */
  readonly beta2?: number;
  /** Added to the root of the second moment. @default 1e-8 */
  readonly epsilon?: number;
}

/** How the hyperparameters move. */
export interface Method {
  readonly estimator: Estimator;
  /** Inner steps of one outer step. @default 50 */
  readonly window?: number;
  /** Hypergradients of a window: at least `dmd.delays` + 1, at most `window`. @default 20 */
  readonly sigma?: number;
  /** Used by the estimator `glocal`. */
  readonly dmd?: DmdOptions;
  readonly outer?: OuterOptimizer;
}

/** A study to be created. */
export interface StudySpec<P extends ParameterMap = ParameterMap> {
  /** For people; at most 200 characters. */
  readonly displayName?: string;
  readonly space: Space<P>;
  readonly problem: Problem;
  readonly training: Training;
  readonly method: Method;
}

/** The same with every default filled in by the server. */
export interface CompleteStudySpec<P extends ParameterMap = ParameterMap> extends StudySpec<P> {
  readonly displayName: string;
  readonly problem: Required<Problem>;
  readonly training: Required<Training>;
  readonly method: Required<Method> & {
    readonly dmd: Required<DmdOptions>;
    readonly outer: Required<OuterOptimizer>;
  };
}
