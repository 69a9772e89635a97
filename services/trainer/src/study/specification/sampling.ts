/** Which points a study has trials at, and that they are not too many. */

import { type Sampling, SamplingMethod, type SearchSpace } from '@glocal/proto/glocal/v1/study';
import type { Limits } from '@glocal/proto/glocal/v1/study_service';
import { type Axis, axesOf, combinations, type Point } from '../sampling/axes.ts';
import { pointAt, takePoints } from '../sampling/points.ts';
import type { Checker } from './checker.ts';
import { POINTS, SAMPLING } from './defaults.ts';

/** Points that are looked at where no server limits them. */
const MOST_POINTS = 4_096;

/** What trials are made of. */
export interface TrialSource {
  readonly space: SearchSpace;
  readonly seeds: number;
}

/**
 * Completes a sampling.
 * @param check with the faults of the space, with which there are no points.
 * @returns with the points that it takes; one of them where they cannot be told.
 */
export function completeSampling(
  requested: Sampling | undefined,
  { space, seeds }: TrialSource,
  limits: Pick<Limits, 'maxTrials'>,
  check: Checker,
): { sampling: Sampling; points: Point[] } {
  const sampling = completeFields(requested, check);
  const axes = axesOf(space).filter(({ size }) => size > 0);
  const isSound = () => !check.violations.some(({ field }) => /^(space|sampling)\b/.test(field));
  if (isSound()) checkTrials(axes, sampling, seeds, limits, check);
  const areFew = limits.maxTrials < Infinity || combinations(axes) <= MOST_POINTS;
  const points = isSound() && areFew ? takePoints(axes, sampling) : [pointAt(axes, [])];
  return { sampling, points };
}

function completeFields(requested: Sampling | undefined, check: Checker): Sampling {
  const method = requested?.method || SAMPLING.method;
  check.oneOf(method, SamplingMethod, 'sampling.method');
  const isGrid = method === SamplingMethod.GRID;
  const points = requested?.points || (isGrid ? 0 : POINTS);
  check.require(
    isGrid ? points === 0 : points >= 1,
    'sampling.points',
    isGrid
      ? `${points} is for RANDOM and SOBOL; leave it out`
      : `${points} is not a positive number of points`,
  );
  const { seed = 0, maxRunningTrials = 0 } = requested ?? {};
  check.require(maxRunningTrials >= 0, 'sampling.max_running_trials', `${maxRunningTrials} is below 0`);
  return { method, points, seed, maxRunningTrials };
}

function checkTrials(
  axes: readonly Axis[],
  sampling: Sampling,
  seeds: number,
  { maxTrials }: Pick<Limits, 'maxTrials'>,
  check: Checker,
): void {
  const all = combinations(axes);
  if (sampling.method !== SamplingMethod.GRID) {
    const { points } = sampling;
    const field = 'sampling.points';
    check.require(
      points <= all,
      field,
      `${points} points are more than the ${all} that there are; GRID takes all`,
    );
    check.require(points * seeds <= maxTrials, field, tooMany(points * seeds, maxTrials));
    return;
  }
  check.require(
    all * seeds <= maxTrials,
    axes.length === 0 ? 'training.seeds' : 'space',
    axes.length === 0
      ? `${seeds} seeds are more than the ${maxTrials} trials that a study may have`
      : `${tooMany(all * seeds, maxTrials)}; give it fewer values, or take some of the points by SOBOL or RANDOM`,
  );
}

const tooMany = (trials: number, maxTrials: number): string =>
  `makes ${trials} trials, one for each seed at each point; a study may have ${maxTrials}`;
