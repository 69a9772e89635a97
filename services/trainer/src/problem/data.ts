/** A module's examples, batch by batch. Batches are addressed by step, so that a trial resumes with a step alone. */

import * as tf from '@tensorflow/tfjs-core';
import { MiniBatches, sampledIndices } from '../data/batches.ts';
import type { Batch } from '../inner/objective.ts';
import { type CheckedProblem, checkTensors, rowsOf } from './built.ts';
import type { Tensors } from './define.ts';

/** @throws DataError TOO_FEW_EXAMPLES when there is not a batch of examples. */
export function batchesOf(
  { train }: Pick<CheckedProblem, 'train'>,
  { batchSize, seed }: { readonly batchSize: number; readonly seed: number },
): (step: number) => Batch {
  if (typeof train === 'function') {
    return (step) => {
      const batch = train({ step, size: batchSize });
      checkTensors('a batch', batch);
      return batch;
    };
  }
  const batches = new MiniBatches({ indices: upTo(rowsOf('train', train)), batchSize, seed });
  return (step) => rows(train, batches.at(step));
}

/** @throws DataError TOO_FEW_EXAMPLES when there are not as many. */
export const sampleOf = (examples: Tensors, size: number, seed: number, step: number): Batch =>
  rows(examples, sampledIndices(upTo(rowsOf('validation', examples)), size, seed, step));

function rows(examples: Tensors, indices: Uint32Array): Batch {
  const which = tf.tensor1d(Int32Array.from(indices), 'int32');
  return Object.fromEntries(
    Object.entries(examples).map(([name, tensor]) => [name, tf.gather(tensor, which)]),
  );
}

const upTo = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);
