/** From a window to what moves the hyperparameters: the estimators and the policy on verdicts (docs/method.md, 6–8). */

import { Verdict, type WindowReport } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, Source } from '@glocal/proto/glocal/v1/study';
import { decodeRow } from '../resource/rows.ts';
import { isFiniteRow, lastRow, meanRow, medianRow, type Rows } from './window.ts';

/** What to do with the hyperparameters after a window. */
export type Decision =
  | {
      readonly action: 'move';
      /** One entry a component. */
      readonly hypergradient: Float64Array;
      readonly sources: readonly Source[];
      readonly reason: string;
    }
  | { readonly action: 'hold'; readonly reason: string }
  | { readonly action: 'rollBack'; readonly reason: string };

/**
 * Applies the estimator's rule to a window.
 * @param rows at least one hypergradient.
 * @param report what the DMD service found; undefined when it could not be reached. Only GLOCAL uses it.
 */
export function decide(estimator: Estimator, rows: Rows, report: WindowReport | undefined): Decision {
  if (!rows.every(isFiniteRow)) return { action: 'rollBack', reason: 'a hypergradient is not finite' };
  switch (estimator) {
    case Estimator.LOCAL:
      return uniform(lastRow(rows), Source.LOCAL, 'the estimator is LOCAL');
    case Estimator.GLOBAL:
      return uniform(
        lastRow(rows),
        Source.LOCAL,
        'the estimator is GLOBAL: one hypergradient of the whole training',
      );
    case Estimator.MEAN:
      return uniform(meanRow(rows), Source.MEAN, 'the estimator is MEAN');
    case Estimator.MEDIAN:
      return uniform(medianRow(rows), Source.MEDIAN, 'the estimator is MEDIAN');
    case Estimator.GLOCAL:
      return report === undefined
        ? uniform(lastRow(rows), Source.LOCAL, 'the DMD service could not be reached')
        : glocal(rows, report);
    default:
      throw new RangeError(`estimator ${estimator} does not use windows`);
  }
}

function glocal(rows: Rows, report: WindowReport): Decision {
  const { verdict, verdictReason: reason } = report;
  switch (verdict) {
    case Verdict.DIVERGING:
      return { action: 'rollBack', reason };
    case Verdict.DEGENERATE:
      return { action: 'hold', reason };
    case Verdict.NO_STEADY_MODE:
    case Verdict.OSCILLATING:
      return uniform(meanRow(rows), Source.MEAN, reason);
    default:
      break;
  }
  const mean = meanRow(rows);
  const estimate = report.glocal === undefined ? mean : decodeRow(report.glocal);
  const trusted = mean.map((_, i) =>
    report.glocal !== undefined && report.componentTrusted[i] === true && Number.isFinite(estimate[i])
      ? 1
      : 0,
  );
  return {
    action: 'move',
    hypergradient: mean.map((value, i) => (trusted[i] ? (estimate[i] ?? value) : value)),
    sources: Array.from(trusted, (yes) => (yes ? Source.GLOCAL : Source.MEAN)),
    reason,
  };
}

function uniform(hypergradient: Float64Array, source: Source, reason: string): Decision {
  return { action: 'move', hypergradient, sources: Array.from(hypergradient, () => source), reason };
}
