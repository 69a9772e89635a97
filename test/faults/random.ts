/** Choices that follow from a seed. */

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class Random {
  readonly #generator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** A number from `least` to below `most`. */
  between(least: number, most: number): number {
    return least + (most - least) * uniformFloat64(this.#generator);
  }

  /** One of them, all being equally likely. */
  oneOf<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.between(0, items.length))];
    if (item === undefined) throw new RangeError('there is nothing to choose from');
    return item;
  }
}
