/** The examples of a mini-batch on which second derivatives are taken, drawn anew for each step (docs/method.md, section 12). */

import * as tf from '@tensorflow/tfjs-core';
import { randomStream, sampled } from '../data/random.ts';
import { InnerTrainingError } from './errors.ts';
import type { Batch } from './objective.ts';

/** How they are drawn. */
export interface TangentExamples {
  /** How many of each mini-batch; 0 leaves second derivatives out. */
  readonly count: number;
  /** Which ones: a function of this and of the number of the step. */
  readonly seed: number;
}

/** A mini-batch in two parts. */
export interface DrawnBatch {
  /** Those that were drawn; null when none are. */
  readonly drawn: Batch | null;
  /** The others; in the caller's scope. */
  readonly others: () => Batch;
  /** Share of the examples that were drawn. */
  readonly share: number;
}

/**
 * @param step its number, from 1.
 * @returns undefined when all examples are wanted, so that there is nothing to draw.
 * @throws InnerTrainingError when the tensors do not have a row for each example.
 */
export function drawExamples(
  batch: Batch,
  { count, seed }: TangentExamples,
  step: number,
): DrawnBatch | undefined {
  if (count === 0) return { drawn: null, others: () => batch, share: 0 };
  const examples = rowsOf(batch);
  if (count >= examples) return undefined;
  const order = Uint32Array.from({ length: examples }, (_, i) => i);
  const drawn = sampled(order, count, randomStream(seed, 'tangents', step));
  const isDrawn = new Set(drawn);
  return {
    drawn: rows(batch, drawn),
    others: () =>
      rows(
        batch,
        order.filter((example) => !isDrawn.has(example)),
      ),
    share: count / examples,
  };
}

function rowsOf(batch: Batch): number {
  const counts = Object.values(batch).map(({ shape }) => shape[0]);
  const [examples] = counts;
  if (examples !== undefined && counts.every((count) => count === examples)) return examples;
  const shapes = Object.entries(batch).map(([name, { shape }]) => `${name} of shape [${shape}]`);
  throw new InnerTrainingError(
    'SHAPE_MISMATCH',
    'second derivatives are wanted on some examples of each mini-batch, whose tensors need a row for each example; ' +
      `there are ${shapes.join(', ')}`,
  );
}

function rows(batch: Batch, examples: Uint32Array): Batch {
  const which = tf.tensor1d(Int32Array.from(examples), 'int32');
  return Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, tf.gather(tensor, which)]));
}
