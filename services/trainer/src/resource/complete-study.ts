/** A study with every default filled in and every check passed. */

import type { DmdOptions } from '@glocal/proto/glocal/v1/dmd';
import type {
  Method,
  OuterOptimizer,
  Problem,
  SearchSpace,
  Study,
  Training,
} from '@glocal/proto/glocal/v1/study';

declare const complete: unique symbol;

/** All fields of a message that are optional in it, filled in. */
type Filled<T, K extends keyof T> = T & { readonly [P in K]-?: NonNullable<T[P]> };

export type CompleteOuterOptimizer = Filled<OuterOptimizer, 'rate' | 'beta1' | 'beta2' | 'epsilon'>;

export type CompleteDmdOptions = Filled<
  DmdOptions,
  'delays' | 'svdRank' | 'tolerance' | 'variant' | 'clip' | 'ridge' | 'stride'
>;

export type CompleteMethod = Filled<Method, 'averaging'> & {
  readonly dmd: CompleteDmdOptions;
  readonly outer: CompleteOuterOptimizer;
};

/**
 * A study that may train. Only completion (`study/specification.ts`) makes one, and {@link asComplete} takes up one that
 * was stored; the mark keeps any other study from passing for it.
 */
export type CompleteStudy = Study & {
  readonly [complete]: true;
  readonly space: SearchSpace;
  readonly problem: Problem;
  readonly training: Training;
  readonly method: CompleteMethod;
};

/**
 * A study that was complete when it was stored or sent.
 * @throws TypeError when it lacks a part: it was never completed.
 */
export function asComplete(study: Study): CompleteStudy {
  const { space, problem, training, method } = study;
  if (!space || !problem || !training || !method?.dmd || method.outer?.rate === undefined) {
    throw new TypeError(`study ${study.name} was stored without being complete`);
  }
  return study as CompleteStudy;
}
