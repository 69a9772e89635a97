/** The points of a search space that a study has trials at. */

import { type Sampling, SamplingMethod } from '@glocal/proto/glocal/v1/study';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { randomStream } from '../../data/random.ts';
import { type Axis, combinations, type Point } from './axes.ts';
import { sobol } from './sobol.ts';

/** Positions on each axis. */
type Positions = readonly number[];

/**
 * All points of a complete sampling, in the order of their trials, none twice: of a grid the values of the last axis change
 * fastest. The same for the same axes and sampling, on every machine.
 * @param axes each with at least one value, and together with as many combinations as there are to be points.
 */
export function takePoints(axes: readonly Axis[], { method, points, seed }: Sampling): Point[] {
  const positions =
    method === SamplingMethod.GRID
      ? grid(axes)
      : distinct(method === SamplingMethod.SOBOL ? shiftedSobol(axes, seed) : draws(axes, seed), points);
  return positions.map((position) => axes.map((axis, k) => axis.at(position[k] as number)));
}

function grid(axes: readonly Axis[]): Positions[] {
  return Array.from({ length: combinations(axes) }, (_, index) => {
    let rest = index;
    return axes
      .toReversed()
      .map(({ size }) => {
        const position = rest % size;
        rest = Math.floor(rest / size);
        return position;
      })
      .reverse();
  });
}

/** The first of them that differ. */
function distinct(positions: Iterable<Positions>, count: number): Positions[] {
  const taken = new Map<string, Positions>();
  for (const position of positions) {
    if (taken.size >= count) break;
    const key = position.join();
    if (!taken.has(key)) taken.set(key, position);
  }
  return [...taken.values()];
}

/** Without end. */
function* draws(axes: readonly Axis[], seed: number): Generator<Positions> {
  const random = randomStream(seed, 'points');
  for (;;) yield axes.map(({ size }) => uniformInt(random, 0, size - 1));
}

/**
 * The Sobol sequence with a random digital shift: each coordinate's bits are flipped where those of a random number of its own
 * are set, which moves the whole sequence and keeps how evenly it covers. Without end.
 */
function* shiftedSobol(axes: readonly Axis[], seed: number): Generator<Positions> {
  const random = randomStream(seed, 'shift');
  const shift = axes.map(() => uniformInt(random, 0, 2 ** 32 - 1));
  for (const point of sobol(axes.length)) {
    yield axes.map(({ size }, k) => {
      const unit = (((point[k] as number) ^ (shift[k] as number)) >>> 0) / 2 ** 32;
      return Math.floor(unit * size);
    });
  }
}
