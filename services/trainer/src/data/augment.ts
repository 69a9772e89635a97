/** Random crops and flips of images, for one mini-batch at a time. */

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { DataError } from './errors.ts';
import type { Batch } from './examples.ts';

export interface Augmentation {
  /** Pixels of zeros put around an image, before a part of its own size is cut out at random; 0 for no crop. */
  readonly cropPadding: number;
  /** Whether each image is mirrored, left to right, with probability one half. */
  readonly flip: boolean;
}

/** @throws DataError MISMATCH unless examples of this shape are images, RangeError for a padding that is none. */
export function checkAugmentation({ cropPadding }: Augmentation, shape: readonly number[]): void {
  if (shape.length !== 3) {
    throw new DataError(
      'MISMATCH',
      `examples of shape [${shape}] cannot be cropped and flipped; expected images: height, width, channels`,
    );
  }
  const most = Math.min(...shape.slice(0, 2));
  if (!Number.isInteger(cropPadding) || cropPadding < 0 || cropPadding > most) {
    throw new RangeError(`a padding is a whole number of pixels from 0 to ${most}, not ${cropPadding}`);
  }
}

/**
 * The same examples, each cropped and flipped on its own. Values must not be standardised before, or the padding is not
 * black.
 * @param batch images (height, width, channels), see {@link checkAugmentation}.
 */
export function augmented(batch: Batch, { cropPadding, flip }: Augmentation, random: RandomGenerator): Batch {
  const [height = 0, width = 0, channels = 0] = batch.shape;
  const values = new Float32Array(batch.values.length);
  const size = height * width * channels;
  for (let from = 0; from < values.length; from += size) {
    const image = batch.values.subarray(from, from + size);
    const target = values.subarray(from, from + size);
    const down = uniformInt(random, -cropPadding, cropPadding);
    const right = uniformInt(random, -cropPadding, cropPadding);
    const mirrored = flip && uniformInt(random, 0, 1) === 1;
    // Pixel (y, x) is what was at (y + down, x + right), and black outside.
    for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
      for (let x = Math.max(0, -right); x < Math.min(width, width - right); x++) {
        const source = ((y + down) * width + x + right) * channels;
        const place = (y * width + (mirrored ? width - 1 - x : x)) * channels;
        for (let channel = 0; channel < channels; channel++) {
          target[place + channel] = image[source + channel] as number;
        }
      }
    }
  }
  return { ...batch, values };
}
