/** Random orders that are the same in each run. */

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Fisher and Yates's. */
export function inRandomOrder<T>(items: readonly T[], seed: number): T[] {
  const generator = xoroshiro128plus(seed + 1);
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = uniformInt(generator, 0, i);
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}
