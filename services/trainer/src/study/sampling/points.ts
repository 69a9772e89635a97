/** The points of a search space that a study has trials at. */

import { type Sampling, SamplingMethod } from '@glocal/proto/glocal/v1/study';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { randomStream } from '../../data/random.ts';
import { exists } from '../conditions.ts';
import type { Axis, Point } from './axes.ts';
import { sobol } from './sobol.ts';

/** Positions on each axis, also on those that there are not with the values of others. */
type Positions = readonly number[];

/**
 * All points of a complete sampling, in the order of their trials, none twice: of a grid the values of the last axis change
 * fastest. The same for the same axes and sampling, on every machine.
 * @param axes each with at least one value, and together with as many combinations as there are to be points.
 */
export function takePoints(axes: readonly Axis[], { method, points, seed }: Sampling): Point[] {
  if (method === SamplingMethod.GRID) return [...grid(axes, [])];
  const positions = method === SamplingMethod.SOBOL ? shiftedSobol(axes, seed) : draws(axes, seed);
  return distinct(axes, positions, points);
}

/** Every point that begins with these values. */
function* grid([axis, ...others]: readonly Axis[], begun: Point): Generator<Point> {
  if (axis === undefined) yield begun;
  else if (!exists(axis, begun)) yield* grid(others, begun);
  else {
    for (let position = 0; position < axis.size; position++) {
      yield* grid(others, [...begun, axis.at(position)]);
    }
  }
}

/** The values at some positions, of the axes that there are with those before. */
export function pointAt(axes: readonly Axis[], positions: Positions): Point {
  const point: Point = [];
  for (const [k, axis] of axes.entries()) {
    if (exists(axis, point)) point.push(axis.at(positions[k] ?? 0));
  }
  return point;
}

/** The first of them that differ. */
function distinct(axes: readonly Axis[], positions: Iterable<Positions>, count: number): Point[] {
  const taken = new Map<string, Point>();
  for (const position of positions) {
    if (taken.size >= count) break;
    const point = pointAt(axes, position);
    const key = JSON.stringify(point);
    if (!taken.has(key)) taken.set(key, point);
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
