/** Seeded random numbers: the same on every machine, and independent for each purpose. */

import { createHash } from 'node:crypto';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * A generator of its own for each seed and purpose: xoroshiro128+ from a state that is a hash of both, so that neither
 * neighbouring seeds nor two purposes share numbers.
 * @param purpose what the numbers are for, for instance `['batches', epoch]`.
 */
export function randomStream(seed: number, ...purpose: readonly (string | number)[]): RandomGenerator {
  const hash = createHash('sha256')
    .update(JSON.stringify([seed, ...purpose]))
    .digest();
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => hash.readInt32LE(offset)));
}

/** The items in random order, each order equally likely (Fisher–Yates, from the last place on). */
export function shuffled(items: ArrayLike<number>, random: RandomGenerator): Uint32Array {
  const result = Uint32Array.from(items);
  for (let last = result.length - 1; last > 0; last--) {
    const chosen = uniformInt(random, 0, last);
    const item = result[chosen] as number;
    result[chosen] = result[last] as number;
    result[last] = item;
  }
  return result;
}

/** Some of the items, in random order and none twice, each choice equally likely (Fisher–Yates, the first places only). */
export function sampled(items: ArrayLike<number>, size: number, random: RandomGenerator): Uint32Array {
  const result = Uint32Array.from(items);
  for (let place = 0; place < size; place++) {
    const chosen = uniformInt(random, place, result.length - 1);
    const item = result[chosen] as number;
    result[chosen] = result[place] as number;
    result[place] = item;
  }
  return result.slice(0, size);
}
