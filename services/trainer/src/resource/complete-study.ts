/** A study with every default filled in and every check passed. */

import type { DmdOptions } from '@glocal/proto/glocal/v1/dmd';
import {
  type Method,
  type OuterOptimizer,
  type Problem,
  RunMode,
  type Sampling,
  SamplingMethod,
  type SearchSpace,
  type Study,
  type Training,
} from '@glocal/proto/glocal/v1/study';

declare const complete: unique symbol;

/** All fields of a message that are optional in it, filled in. */
type Filled<T, K extends keyof T> = T & { readonly [P in K]-?: NonNullable<T[P]> };

export type CompleteOuterOptimizer = Filled<OuterOptimizer, 'rate' | 'beta1' | 'beta2' | 'epsilon'>;

export type CompleteDmdOptions = Filled<
  DmdOptions,
  'delays' | 'svdRank' | 'tolerance' | 'variant' | 'clip' | 'ridge' | 'lastShare' | 'stride'
>;

export type CompleteMethod = Filled<Method, 'averaging'> & {
  readonly dmd: CompleteDmdOptions;
  readonly outer: CompleteOuterOptimizer;
};

/**
 * What every complete study has. Only completion (`study/specification.ts`) makes one; the mark keeps any other study from
 * passing for it.
 */
interface CompleteParts {
  readonly [complete]: true;
  readonly space: SearchSpace;
  readonly training: Training;
  readonly method: CompleteMethod;
  readonly sampling: Sampling;
}

/** A study whose trials may train, each as it sees it (`study/trial-study.ts`). */
export type CompleteStudy = Study & CompleteParts & { readonly problem: Problem };

/** A study whose client trains, so that it has no problem. */
export type ExternalStudy = Study &
  CompleteParts & { readonly mode: RunMode.EXTERNAL; readonly problem: undefined };

/** Of studies that were stored before studies had a sampling. */
const ONE_POINT: Sampling = { method: SamplingMethod.GRID, points: 0, seed: 0, maxRunningTrials: 0 };

/**
 * A study that was complete when it was stored or sent.
 * @throws TypeError when it lacks a part: it was never completed, or its client trains.
 */
export function asComplete(study: Study): CompleteStudy {
  if (!study.problem || !hasParts(study)) throw notComplete(study);
  return { ...withWindows(study), sampling: study.sampling ?? ONE_POINT } as CompleteStudy;
}

/**
 * The same of a study whose client trains.
 * @throws TypeError when it is not such a study, or was never completed.
 */
export function asExternal(study: Study): ExternalStudy {
  if (study.mode !== RunMode.EXTERNAL || study.problem || !hasParts(study)) throw notComplete(study);
  return withWindows(study) as ExternalStudy;
}

type StudyWithMethod = Study & { readonly method: Method };

const hasParts = (study: Study): study is StudyWithMethod =>
  study.space !== undefined &&
  study.training !== undefined &&
  study.method?.dmd !== undefined &&
  study.method.outer?.rate !== undefined;

/** Of studies that were stored before windows could be sparse, they lie side by side. */
function withWindows({ method, ...study }: StudyWithMethod): StudyWithMethod {
  const interval = method.interval || method.window;
  const warmupWindows = method.warmupWindows || 1;
  const warmupWindowSteps = method.warmupWindowSteps || method.window;
  return { ...study, method: { ...method, interval, warmupWindows, warmupWindowSteps } };
}

const notComplete = ({ name }: Study) => new TypeError(`study ${name} was stored without being complete`);
