import fc from 'fast-check';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { expect, it } from 'vitest';
import { randomStream, shuffled } from './random.ts';

const draw = (...stream: Parameters<typeof randomStream>): number[] => {
  const random = randomStream(...stream);
  return Array.from({ length: 4 }, () => uniformInt(random, 0, 2 ** 31));
};

it('gives these numbers for ever: stored trials resume with them', () => {
  expect(draw(0, 'batches', 0)).toEqual([1344918169, 1040580624, 1452995916, 235032399]);
  expect(Array.from(shuffled([10, 11, 12, 13, 14], randomStream(7, 'split', 3)))).toEqual([
    14, 11, 10, 12, 13,
  ]);
});

it('gives other numbers for another seed, and for another purpose', () => {
  const streams = [draw(0, 'a', 0), draw(1, 'a', 0), draw(0, 'b', 0), draw(0, 'a', 1), draw(0, 'a')];
  expect(new Set(streams.flat()).size).toBe(streams.flat().length);
});

it('shuffles: the same items, in another order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.nat(), (items, seed) => {
      const order = shuffled(items, randomStream(seed));
      expect(Array.from(order).sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
    }),
  );
});

it('shuffles without preference: each item is in each place equally often', () => {
  const places = 5;
  const rounds = 20_000;
  const counts = Array.from({ length: places * places }, () => 0);
  const random = randomStream(0, 'fairness');
  for (let round = 0; round < rounds; round++) {
    shuffled([0, 1, 2, 3, 4], random).forEach((item, place) => {
      const cell = item * places + place;
      counts[cell] = (counts[cell] as number) + 1;
    });
  }
  const expected = rounds / places;
  // Five standard deviations of a binomial count.
  const tolerance = 5 * Math.sqrt(expected * (1 - 1 / places));
  for (const count of counts) expect(Math.abs(count - expected)).toBeLessThan(tolerance);
});
