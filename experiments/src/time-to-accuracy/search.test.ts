import { describe, expect, it } from 'vitest';
import { asha, bestBy, type PlainTraining, randomSearch, timeTo } from './search.ts';

/** Of 9 parts and 9 seconds, whose accuracy is the same all along. */
const training = (accuracy: number | undefined, parts = 9): PlainTraining => ({
  seconds: parts,
  curve: Array.from({ length: accuracy === undefined ? parts : 9 }, () => ({ validation: accuracy })),
  validation: accuracy,
  test: accuracy === undefined ? undefined : accuracy - 0.01,
});

describe('random search', () => {
  const search = randomSearch(0, [training(0.5), training(undefined, 1), training(0.9), training(0.7)]);

  it('counts every training, also one that diverged', () => {
    expect(search.found.map(({ seconds }) => seconds)).toEqual([9, 10, 19, 28]);
  });

  it('has the test accuracy of what was best on validation examples', () => {
    expect(bestBy(search, 8)).toBeUndefined();
    expect(bestBy(search, 18)).toMatchObject({ validation: 0.5, test: 0.49 });
    expect(bestBy(search, 100)).toMatchObject({ validation: 0.9, test: 0.89 });
    expect(timeTo(search, 0.6)).toBe(19);
    expect(timeTo(search, 0.95)).toBeUndefined();
  });
});

describe('ASHA', () => {
  it('trains to the end what was best of each rung, and pays a ninth for the others', () => {
    const trainings = [0.1, 0.2, 0.9, 0.3, 0.4, 0.5, 0.1, 0.6, 0.2].map((accuracy) => training(accuracy));
    const search = asha(0, trainings, 9);
    expect(search.found.filter(({ validation }) => validation !== undefined)).toEqual([
      expect.objectContaining({ validation: 0.9, test: 0.89 }),
    ]);
    // Nine of a ninth, three of two ninths more, and one of the other six.
    expect(search.found.at(-1)?.seconds).toBeCloseTo(9 + 3 * 2 + 6, 10);
  });

  it('takes nothing on that diverged, and counts the time until it did', () => {
    const search = asha(0, [training(undefined, 0), training(0.5), training(0.4)], 9);
    expect(search.found.at(-1)?.seconds).toBeCloseTo(2 + 2, 10);
    expect(search.found.every(({ validation }) => validation === undefined)).toBe(true);
  });
});
