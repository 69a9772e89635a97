/** Examples in seeded random order, addressed by the inner step: resuming needs no state but the step. */

import { DataError } from './errors.ts';
import type { Indices } from './examples.ts';
import { randomStream, sampled, shuffled } from './random.ts';

export interface MiniBatchOptions {
  /** The examples to draw from, for instance `Split.train`. */
  readonly indices: Indices;
  readonly batchSize: number;
  /** The same seed gives the same batches. */
  readonly seed: number;
}

/**
 * An endless sequence of examples, cut into batches of equal size. Each epoch has every example once, in an order of
 * its own; what an epoch leaves over begins the batch that the next one completes (such a batch may have an example
 * twice). The sequence does not depend on the batch size.
 */
export class MiniBatches {
  readonly batchSize: number;
  readonly #indices: Indices;
  readonly #seed: number;
  /** The order of the epoch that was used last. */
  #order: { readonly epoch: number; readonly indices: Uint32Array } | undefined;

  /** @throws DataError TOO_FEW_EXAMPLES when the examples do not fill one batch. */
  constructor({ indices, batchSize, seed }: MiniBatchOptions) {
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new RangeError(`a batch size is a positive whole number, not ${batchSize}`);
    }
    if (indices.length < batchSize) {
      throw new DataError(
        'TOO_FEW_EXAMPLES',
        `${indices.length} training examples do not fill a batch of ${batchSize}`,
      );
    }
    this.batchSize = batchSize;
    this.#indices = indices;
    this.#seed = seed;
  }

  /**
   * Indices of one batch, `[batchSize]`.
   * @param step number of batches before it: 0 gives the first.
   */
  at(step: number): Uint32Array {
    if (!Number.isSafeInteger(step) || step < 0) throw new RangeError(`there is no batch ${step}`);
    const batch = new Uint32Array(this.batchSize);
    const examples = this.#indices.length;
    let filled = 0;
    while (filled < batch.length) {
      const drawn = step * this.batchSize + filled;
      const position = drawn % examples;
      const order = this.#epoch(Math.floor(drawn / examples));
      const part = order.subarray(position, position + batch.length - filled);
      batch.set(part, filled);
      filled += part.length;
    }
    return batch;
  }

  #epoch(epoch: number): Uint32Array {
    if (this.#order?.epoch !== epoch) {
      this.#order = { epoch, indices: shuffled(this.#indices, randomStream(this.#seed, 'batches', epoch)) };
    }
    return this.#order.indices;
  }
}

/**
 * A random part of the examples for one step, none of them twice: to validate on fewer than all.
 * @throws DataError TOO_FEW_EXAMPLES when there are not as many.
 */
export function sampledIndices(indices: Indices, size: number, seed: number, step: number): Uint32Array {
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`a sample is a positive whole number of examples, not ${size}`);
  }
  if (size > indices.length) {
    throw new DataError('TOO_FEW_EXAMPLES', `${size} examples cannot be sampled from ${indices.length}`);
  }
  return sampled(indices, size, randomStream(seed, 'sample', step));
}
