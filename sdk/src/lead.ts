/** Which of several studies has the lowest validation loss, and whether that is a difference at all. */

import type { ComparedStudy, Figure } from './comparison.ts';

/** Which study has the lowest validation loss. */
export interface Lead {
  /** Its name. */
  readonly study: string;
  /** Name of the next. */
  readonly over: string;
  /** By how much the mean of the next is higher, in nats: more than nothing, and more than `error`. */
  readonly by: number;
  /** Standard error of that; undefined unless both have several seeds. */
  readonly error: number | undefined;
}

/** Undefined where fewer than two studies have a validation loss, or the two lowest are a {@link isTie tie}. */
export function leadAmong(studies: readonly ComparedStudy[]): Lead | undefined {
  const gap = lowestTwo(studies);
  return gap === undefined || isTie(gap) ? undefined : gap;
}

/** The two with the lowest mean validation losses; undefined where fewer have one. */
export function lowestTwo(studies: readonly ComparedStudy[]): Lead | undefined {
  const losses = studies.flatMap(({ name, figures: { validationLoss: loss } }) =>
    loss !== undefined && Number.isFinite(loss.mean) ? [{ name, loss }] : [],
  );
  const [best, next] = losses.sort((a, b) => a.loss.mean - b.loss.mean);
  if (best === undefined || next === undefined) return undefined;
  return {
    study: best.name,
    over: next.name,
    by: next.loss.mean - best.loss.mean,
    error: errorBetween(best.loss, next.loss),
  };
}

/** A difference of nothing, or within its standard error, is none. */
const isTie = ({ by, error = 0 }: Lead): boolean => by <= error;

/** Standard error of the difference of two means, whose variances need not be the same (Welch). */
export function errorBetween(
  a: Pick<Figure, 'deviation' | 'count'>,
  b: Pick<Figure, 'deviation' | 'count'>,
): number | undefined {
  if (a.deviation === undefined || b.deviation === undefined) return undefined;
  return Math.sqrt(a.deviation ** 2 / a.count + b.deviation ** 2 / b.count);
}
