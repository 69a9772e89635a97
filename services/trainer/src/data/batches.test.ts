import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MiniBatches, sampledIndices } from './batches.ts';
import { DataError } from './errors.ts';

/** Indices of some examples (not all: a validation part is missing), a batch size that they fill, and a seed. */
const cases = fc.uniqueArray(fc.nat({ max: 10_000 }), { minLength: 1, maxLength: 60 }).chain((indices) =>
  fc.record({
    indices: fc.constant(Uint32Array.from(indices)),
    batchSize: fc.integer({ min: 1, max: indices.length }),
    seed: fc.nat(),
  }),
);

const run = (batches: MiniBatches, from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, step) => [...batches.at(from + step)]).flat();

const ascending = (a: number, b: number): number => a - b;

describe('MiniBatches', () => {
  it('has each example once in each epoch, and every batch full', () => {
    fc.assert(
      fc.property(cases, (options) => {
        const { indices, batchSize } = options;
        // As many batches as make whole epochs.
        const sequence = run(new MiniBatches(options), 0, indices.length);
        expect(sequence.length).toBe(batchSize * indices.length);
        for (let epoch = 0; epoch < batchSize; epoch++) {
          const part = sequence.slice(epoch * indices.length, (epoch + 1) * indices.length);
          expect(part.sort(ascending)).toEqual([...indices].sort(ascending));
        }
      }),
    );
  });

  it('goes on from any step with the same batches', () => {
    fc.assert(
      fc.property(cases, fc.nat({ max: 50 }), fc.nat({ max: 50 }), (options, done, more) => {
        const uninterrupted = run(new MiniBatches(options), 0, done + more);
        const resumed = run(new MiniBatches(options), done, done + more);
        expect(resumed).toEqual(uninterrupted.slice(done * options.batchSize));
      }),
    );
  });

  it('goes back with the same batches', () => {
    fc.assert(
      fc.property(cases, fc.array(fc.nat({ max: 100 })), (options, steps) => {
        const batches = new MiniBatches(options);
        for (const step of steps) expect(batches.at(step)).toEqual(new MiniBatches(options).at(step));
      }),
    );
  });

  it('draws the same sequence whatever the batch size', () => {
    fc.assert(
      fc.property(cases, (options) => {
        const one = new MiniBatches({ ...options, batchSize: 1 });
        const sequence = run(new MiniBatches(options), 0, 10);
        expect(sequence).toEqual(run(one, 0, 10 * options.batchSize));
      }),
    );
  });

  it('has another order in each epoch and for each seed', () => {
    const indices = Uint32Array.from({ length: 100 }, (_, index) => index);
    const epochs = [0, 1].flatMap((seed) => {
      const batches = new MiniBatches({ indices, batchSize: 100, seed });
      return [0, 1, 2].map((epoch) => `${batches.at(epoch)}`);
    });
    expect(new Set(epochs).size).toBe(6);
  });

  it('refuses fewer examples than a batch', () => {
    expect(() => new MiniBatches({ indices: [1, 2, 3], batchSize: 4, seed: 0 })).toThrow(
      new DataError('TOO_FEW_EXAMPLES', '3 training examples do not fill a batch of 4'),
    );
  });

  it.each([0, -1, 1.5])('refuses batches of %s', (batchSize) => {
    expect(() => new MiniBatches({ indices: [1, 2, 3], batchSize, seed: 0 })).toThrow(RangeError);
  });

  it.each([-1, 0.5])('has no batch %s', (step) => {
    expect(() => new MiniBatches({ indices: [1, 2, 3], batchSize: 2, seed: 0 }).at(step)).toThrow(RangeError);
  });
});

describe('sampledIndices', () => {
  const samples = cases.chain(({ indices, seed }) =>
    fc.record({
      indices: fc.constant(indices),
      size: fc.integer({ min: 1, max: indices.length }),
      seed: fc.constant(seed),
      step: fc.nat(),
    }),
  );

  it('has as many as asked for, each once, and the same again for the same step', () => {
    fc.assert(
      fc.property(samples, ({ indices, size, seed, step }) => {
        const sample = sampledIndices(indices, size, seed, step);
        expect(sample.length).toBe(size);
        expect(new Set(sample).size).toBe(size);
        expect(sample.every((index) => indices.includes(index))).toBe(true);
        expect(sampledIndices(indices, size, seed, step)).toEqual(sample);
      }),
    );
  });

  it('has others in another step and for another seed', () => {
    const indices = Uint32Array.from({ length: 100 }, (_, index) => index);
    const samples = [0, 1].flatMap((seed) =>
      [0, 1, 2].map((step) => `${sampledIndices(indices, 10, seed, step)}`),
    );
    expect(new Set(samples).size).toBe(6);
  });

  it('has each example equally often over the steps', () => {
    const counts = Array.from({ length: 10 }, () => 0);
    const steps = 5_000;
    for (let step = 0; step < steps; step++) {
      for (const index of sampledIndices([...counts.keys()], 3, 0, step)) {
        counts[index] = (counts[index] as number) + 1;
      }
    }
    // Five standard deviations of a binomial count.
    for (const count of counts)
      expect(Math.abs(count - 0.3 * steps)).toBeLessThan(5 * Math.sqrt(0.21 * steps));
  });

  it('refuses more than there are', () => {
    expect(() => sampledIndices([1, 2, 3], 4, 0, 0)).toThrow(
      new DataError('TOO_FEW_EXAMPLES', '4 examples cannot be sampled from 3'),
    );
  });

  it.each([0, -1, 1.5])('refuses a sample of %s', (size) => {
    expect(() => sampledIndices([1, 2, 3], size, 0, 0)).toThrow(RangeError);
  });
});
