import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { augmented, checkAugmentation } from './augment.ts';
import { DataError } from './errors.ts';
import type { Batch } from './examples.ts';
import { randomStream } from './random.ts';

const [HEIGHT, WIDTH, CHANNELS] = [4, 5, 2];
const SIZE = HEIGHT * WIDTH * CHANNELS;

/** Images whose numbers are all different and not 0. */
const images = (count: number): Batch => ({
  count,
  shape: [HEIGHT, WIDTH, CHANNELS],
  classes: 2,
  values: Float32Array.from({ length: count * SIZE }, (_, position) => position + 1),
  labels: Int32Array.from({ length: count }, (_, index) => index % 2),
});

/** Pixels of the image at a position in a batch: rows of columns of channels. */
const pixels = ({ values }: Batch, image: number): number[][][] =>
  Array.from({ length: HEIGHT }, (_, y) =>
    Array.from({ length: WIDTH }, (_, x) => {
      const from = image * SIZE + (y * WIDTH + x) * CHANNELS;
      return [...values.subarray(from, from + CHANNELS)];
    }),
  );

/** Every crop of an image with a border of zeros, and its mirror image, as text. */
function allCrops(image: number[][][], padding: number): Set<string> {
  const black = Array<number>(CHANNELS).fill(0);
  const border = Array.from({ length: padding }, () => black);
  const line = Array.from({ length: WIDTH + 2 * padding }, () => black);
  const lines = Array.from({ length: padding }, () => line);
  const padded = [...lines, ...image.map((row) => [...border, ...row, ...border]), ...lines];
  const crops = new Set<string>();
  for (let top = 0; top <= 2 * padding; top++) {
    for (let left = 0; left <= 2 * padding; left++) {
      const crop = padded.slice(top, top + HEIGHT).map((row) => row.slice(left, left + WIDTH));
      crops.add(JSON.stringify(crop));
      crops.add(JSON.stringify(crop.map((row) => row.toReversed())));
    }
  }
  return crops;
}

describe('augmented', () => {
  it('gives each image as one of its crops, mirrored or not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: HEIGHT }), fc.nat(), (cropPadding, seed) => {
        const batch = images(6);
        const result = augmented(batch, { cropPadding, flip: true }, randomStream(seed));
        for (let image = 0; image < batch.count; image++) {
          const crops = allCrops(pixels(batch, image), cropPadding);
          expect(crops).toContain(JSON.stringify(pixels(result, image)));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('gives each crop and each mirror image about equally often', () => {
    const counts = new Map<string, number>();
    const random = randomStream(0, 'fairness');
    const rounds = 18_000;
    for (let round = 0; round < rounds; round++) {
      const crop = JSON.stringify(pixels(augmented(images(1), { cropPadding: 1, flip: true }, random), 0));
      counts.set(crop, (counts.get(crop) ?? 0) + 1);
    }
    expect(new Set(counts.keys())).toEqual(allCrops(pixels(images(1), 0), 1));
    // Five standard deviations of a binomial count.
    const expected = rounds / counts.size;
    for (const count of counts.values()) {
      expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
  });

  it('leaves images as they are without padding and flip', () => {
    const result = augmented(images(3), { cropPadding: 0, flip: false }, randomStream(0));
    expect(result).toEqual(images(3));
  });

  it('changes neither the batch nor its labels', () => {
    const batch = images(4);
    const result = augmented(batch, { cropPadding: 2, flip: true }, randomStream(0));
    expect(batch).toEqual(images(4));
    expect(result).toMatchObject({ count: 4, shape: batch.shape, labels: batch.labels });
  });
});

describe('checkAugmentation', () => {
  it('refuses what is not an image', () => {
    expect(() => checkAugmentation({ cropPadding: 0, flip: true }, [13])).toThrow(
      new DataError(
        'MISMATCH',
        'examples of shape [13] cannot be cropped and flipped; expected images: height, width, channels',
      ),
    );
  });

  it.each([-1, 0.5, 5])('refuses a padding of %s pixels for images of 4×5', (cropPadding) => {
    expect(() => checkAugmentation({ cropPadding, flip: true }, [4, 5, 1])).toThrow(
      'a padding is a whole number of pixels from 0 to 4',
    );
  });
});
