/** What the DMD service found in a window. */

import type * as proto from '@glocal/proto/glocal/v1/dmd';
import { milliseconds } from './duration.ts';
import { type Verdict, verdictName } from './enums.ts';
import { decodeComplex, decodeVector } from './float64.ts';

/** A complex number. */
export interface Complex {
  readonly re: number;
  readonly im: number;
}

/** One mode: the window is modelled as the sum over modes of contribution × eigenvalueᵗ, t = 0 at the oldest row. */
export interface Mode {
  /** Per row of the window. */
  readonly eigenvalue: Complex;
  /** Euclidean norm of the contribution at t = 0. */
  readonly contributionNorm: number;
  /** This mode's share of the window's energy, 0 to 1. */
  readonly energyShare: number;
  /** Whether this mode is part of the glocal hypergradient. */
  readonly steady: boolean;
  /** The contribution at t = 0, one value for each component; only with `dmd.includeContributions`. */
  readonly contribution: { readonly re: Float64Array; readonly im: Float64Array } | undefined;
}

/** The spectrum behind an estimate. */
export interface Spectrum {
  /** Nearest to eigenvalue 1 first; of a conjugate pair the one with positive imaginary part first. */
  readonly modes: readonly Mode[];
  /** Of the scaled snapshot matrix, largest first. */
  readonly singularValues: readonly number[];
  readonly rank: number;
  /** How much of the window no linear map explains: ‖Y − KX‖ / ‖Y‖. */
  readonly pairResidual: number;
  /** ‖H − reconstruction‖ / ‖H‖ over the scaled rows. */
  readonly reconstructionError: number;
  /** Largest absolute eigenvalue; 0 when the rank is 0. */
  readonly spectralRadius: number;
  /** What can be computed of the bound on the estimate's error. Undefined when the server is older than this. */
  readonly bound: BoundTerms | undefined;
}

/** What can be computed of the bound on the estimate's error in the paper's Theorem 3.1, over the scaled rows. */
export interface BoundTerms {
  /** ‖U‖ ‖U⁻¹‖ (Frobenius) of the matrix U of modes of norm 1; infinite where they are dependent, 0 without modes. */
  readonly modeCondition: number;
  /** Norm of what the operator misses of the last row. */
  readonly lastResidual: number;
  /** What is left after the window of the modes that decay and are not part of the estimate. */
  readonly decayingNorm: number;
}

/** What the rules of the verdict looked at, with the server's limits. */
export interface VerdictFigures {
  /** Share of the window's energy in modes that grow; DIVERGING from the limit on. */
  readonly growingShare: number;
  readonly growingShareLimit: number;
  /** Share of the window's energy in undamped oscillation; OSCILLATING above the limit. */
  readonly undampedShare: number;
  readonly undampedShareLimit: number;
  /** Largest norm of a row over the median of those before the window; DIVERGING above the limit. Undefined when too few came before. */
  readonly spikeRatio?: number | undefined;
  readonly spikeRatioLimit: number;
  /** The t-score from which on a component is trusted. */
  readonly trustedTScore: number;
  /**
   * How far the estimate of a component lies outside its rows, over what these span, in the component where this is most.
   * Undefined without an estimate, as is the limit.
   */
  readonly overshoot?: number | undefined;
  /** Up to here a component is trusted. */
  readonly overshootLimit?: number | undefined;
  /** Modes with a larger `spectrum.reconstructionError` do not explain the window. Undefined where the estimate is not a sum of modes. */
  readonly reconstructionErrorLimit?: number | undefined;
  /** The sum of modes with a larger `spectrum.bound.modeCondition` is not trusted. Undefined where the estimate is not such a sum. */
  readonly modeConditionLimit?: number | undefined;
}

/** What DMD found in one window. Vectors have one value for each component, in the window's order. */
export interface WindowReport {
  readonly verdict: Verdict;
  /** The verdict in one sentence, with the numbers it came from. */
  readonly verdictReason: string;
  /** The numbers that the verdict came from, with their limits. */
  readonly verdictFigures: VerdictFigures | undefined;
  /** The glocal hypergradient; undefined when the variant has none, as `hankel` when no mode is steady. */
  readonly glocal: Float64Array | undefined;
  /** Standard error of each component of `glocal`; undefined unless the variant knows it, as `optimized` does. */
  readonly spread: Float64Array | undefined;
  /** Whether the estimate of each component can be trusted. */
  readonly componentTrusted: readonly boolean[];
  /** |mean| / sample standard deviation of each component over the rows. */
  readonly tScores: Float64Array;
  /** Mean of the rows. */
  readonly mean: Float64Array;
  /** Component-wise median of the rows. */
  readonly median: Float64Array;
  /** The last row: the local hypergradient. */
  readonly last: Float64Array;
  readonly spectrum: Spectrum;
  /** Milliseconds spent computing, without waiting and transport. */
  readonly computeTime: number;
}

/** @throws GlocalError DATA_LOSS */
export function decodeReport(report: proto.WindowReport): WindowReport {
  return {
    verdict: verdictName(report.verdict),
    verdictReason: report.verdictReason,
    verdictFigures: report.verdictFigures,
    glocal: report.glocal && decodeVector(report.glocal),
    spread: report.spread && decodeVector(report.spread),
    componentTrusted: report.componentTrusted,
    tScores: decodeVector(report.tScores),
    mean: decodeVector(report.mean),
    median: decodeVector(report.median),
    last: decodeVector(report.last),
    spectrum: decodeSpectrum(report.spectrum),
    computeTime: milliseconds(report.computeTime),
  };
}

function decodeSpectrum(spectrum: proto.Spectrum | undefined): Spectrum {
  return {
    modes: spectrum?.modes.map(decodeMode) ?? [],
    singularValues: spectrum?.singularValues ?? [],
    rank: spectrum?.rank ?? 0,
    pairResidual: spectrum?.pairResidual ?? 0,
    reconstructionError: spectrum?.reconstructionError ?? 0,
    spectralRadius: spectrum?.spectralRadius ?? 0,
    bound: spectrum?.bound,
  };
}

function decodeMode(mode: proto.Mode): Mode {
  return {
    eigenvalue: { re: mode.eigenvalueRe, im: mode.eigenvalueIm },
    contributionNorm: mode.contributionNorm,
    energyShare: mode.energyShare,
    steady: mode.steady,
    contribution: mode.contribution.length > 0 ? decodeComplex(mode.contribution) : undefined,
  };
}
