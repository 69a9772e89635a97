import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LabelledExamples } from './examples.ts';
import { withLabelNoise } from './label-noise.ts';

const COUNT = 3_000;
const CLASSES = 3;

/** Examples of one value, the classes in turn. */
const inTurn = (count: number, classes: number): LabelledExamples => ({
  ...{ count, shape: [1], classes, values: new Uint8Array(count) },
  labels: Int32Array.from({ length: count }, (_, i) => i % classes),
});
const examples = inTurn(COUNT, CLASSES);
/** All but those that are for validation. */
const indices = Uint32Array.from({ length: COUNT }, (_, i) => i).filter((i) => i % 3 !== 0 || i < 1_500);
const noisy = (share: number, seed = 0) => withLabelNoise(examples, indices, { share, seed }).labels;
const changed = (labels: Int32Array, { labels: before }: LabelledExamples = examples): number[] =>
  [...labels.keys()].filter((i) => labels[i] !== before[i]);

describe('withLabelNoise', () => {
  it('replaces the share that it says, each by another class, follows from the seed, and leaves the rest as it is', () => {
    const cases = fc.record({
      classes: fc.integer({ min: 2, max: 7 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.nat(),
      isTrained: fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }),
    });
    fc.assert(
      fc.property(cases, ({ classes, share, seed, isTrained }) => {
        const all = inTurn(isTrained.length, classes);
        const before = structuredClone(all);
        const trained = Uint32Array.from(isTrained.keys()).filter((i) => isTrained[i]);
        const found = withLabelNoise(all, trained, { share, seed });
        const wrong = changed(found.labels, before);
        expect(wrong).toHaveLength(Math.round(share * trained.length));
        expect(wrong.every((i) => isTrained[i])).toBe(true);
        expect(found.labels.every((label) => label >= 0 && label < classes)).toBe(true);
        expect(withLabelNoise(all, trained, { share, seed })).toEqual(found);
        expect(all).toEqual(before);
        expect(found.values).toBe(all.values);
      }),
    );
  });

  it('takes every other class about as often', () => {
    const all = noisy(1);
    const next = changed(all).filter((i) => all[i] === ((examples.labels[i] ?? 0) + 1) % CLASSES);
    expect(next.length / indices.length).toBeCloseTo(0.5, 1);
  });

  it('is another one with another seed', () => {
    expect(noisy(0.4)).not.toEqual(noisy(0.4, 1));
  });

  it('has no other class where there is only one', () => {
    const one = inTurn(5, 1);
    expect(withLabelNoise(one, Uint32Array.of(0, 1, 2), { share: 1, seed: 0 })).toEqual(one);
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses a share of %s', (share) => {
    expect(() => noisy(share)).toThrow(RangeError);
  });
});
