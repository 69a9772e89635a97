/**
 * The Sobol sequence: points of [0, 1)^d that leave no part of it empty. Of the first 2^k, every interval of length 2^-k that
 * starts at a multiple of it has exactly one in each dimension.
 */

import { JOE_KUO } from './joe-kuo.ts';

const BITS = 32;

/** Most dimensions that there are direction numbers for. */
export const MAX_DIMENSIONS = JOE_KUO.length + 1;

/**
 * The sequence from its start, in the order of Gray's code; coordinates in units of 2^-32, `[dimensions]`.
 * @throws RangeError for more than {@link MAX_DIMENSIONS}.
 */
export function* sobol(dimensions: number): Generator<Uint32Array, never> {
  if (dimensions > MAX_DIMENSIONS) {
    throw new RangeError(`a Sobol sequence of ${dimensions} dimensions; at most ${MAX_DIMENSIONS}`);
  }
  const directions = Array.from({ length: dimensions }, (_, d) => directionNumbers(JOE_KUO[d - 1]));
  const point = new Uint32Array(dimensions);
  for (let index = 0; ; index++) {
    yield point.slice();
    // The lowest bit of the index that is 0.
    const bit = BITS - 1 - Math.clz32(~index & (index + 1));
    for (const [d, numbers] of directions.entries()) {
      point[d] = (point[d] as number) ^ (numbers[bit] as number);
    }
  }
}

/** v_1 … v_32 of a dimension in units of 2^-32 (Joe and Kuo, equations 2 and 3); of the first one without a row. */
function directionNumbers(row: readonly number[] | undefined): Uint32Array {
  const numbers = new Uint32Array(BITS);
  const [coefficients = 0, ...starts] = row ?? [];
  const degree = starts.length;
  const v = (k: number): number => numbers[k] as number;
  for (let k = 0; k < BITS; k++) {
    if (k < degree || row === undefined) {
      numbers[k] = (starts[k] ?? 1) << (BITS - 1 - k);
      continue;
    }
    numbers[k] = v(k - degree) ^ (v(k - degree) >>> degree);
    for (let i = 1; i < degree; i++) {
      if ((coefficients >>> (degree - 1 - i)) & 1) numbers[k] = v(k) ^ v(k - i);
    }
  }
  return numbers;
}
