/** The inner and the validation loss: mean softmax cross-entropy of a model on labelled examples. */

import * as tf from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '../ad/ops/softmax-cross-entropy.ts';
import type { Model } from '../model/model.ts';
import { InnerTrainingError } from './errors.ts';
import type { Batch, Figures } from './objective.ts';

/** Labelled examples on the backend. */
export type Examples = Batch & {
  /** `[n, ...the model's inputShape]`, float32. */
  readonly x: tf.Tensor;
  /** Class of each example, `[n]`, int32. */
  readonly labels: tf.Tensor1D;
};

/** Most examples that go through the model at once, outside training. */
const MAX_CHUNK = 1024;
/** What may lie between a model's layers then; a gradient takes about twice as much. */
const MAX_CHUNK_BYTES = 512 * 2 ** 20;

/** @throws InnerTrainingError when the examples are not of the model's shape, or there are none. */
export function checkExamples(model: Model, { x, labels }: Examples): void {
  const [n = 0, ...shape] = x.shape;
  if (n === 0 || !model.accepts(shape) || x.dtype !== 'float32') {
    throw new InnerTrainingError(
      'SHAPE_MISMATCH',
      `examples are ${x.dtype} of shape [${x.shape}]; ${model.id} takes float32 of shape [n, ${model.inputShape}], n > 0`,
    );
  }
  if (!tf.util.arraysEqual(labels.shape, [n]) || labels.dtype !== 'int32') {
    throw new InnerTrainingError(
      'SHAPE_MISMATCH',
      `labels are ${labels.dtype} of shape [${labels.shape}]; ${n} examples have int32 labels of shape [${n}]`,
    );
  }
}

/** Classes as float32 rows with a one, `[n, classes]`. */
export function oneHot(labels: tf.Tensor1D, classes: number): tf.Tensor2D {
  return tf.cast(tf.oneHot(labels, classes), 'float32') as tf.Tensor2D;
}

/** Mean cross-entropy of the examples as a function of the weights. */
export function meanLoss(
  model: Model,
  { x, labels }: Examples,
): (parameters: readonly tf.Tensor[]) => tf.Scalar {
  const targets = oneHot(labels, model.classes);
  return (parameters) => tf.mean(softmaxCrossEntropy(model.apply(parameters, x), targets));
}

/**
 * The examples in as few equal parts as memory allows: what a model keeps between its layers is measured on one example.
 * @param parameters the weights, of any value.
 */
export function inChunks(
  model: Model,
  parameters: readonly tf.Tensor[],
  { x, labels }: Examples,
): Examples[] {
  const n = labels.size;
  const parts = Math.ceil(n / chunkSize(model, parameters));
  if (parts <= 1) return [{ x, labels }];
  const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.round((i * n) / parts));
  return bounds.slice(1).map((end, i) => {
    const begin = bounds[i] ?? 0;
    return { x: tf.slice(x, begin, end - begin), labels: tf.slice(labels, begin, end - begin) };
  });
}

const chunkSizes = new WeakMap<Model, number>();

function chunkSize(model: Model, parameters: readonly tf.Tensor[]): number {
  const known = chunkSizes.get(model);
  if (known !== undefined) return known;
  const bytes = tf.tidy(() => {
    const before = tf.memory().numBytes;
    model.apply(parameters, tf.zeros([1, ...model.inputShape]));
    return tf.memory().numBytes - before;
  });
  const size = Math.max(1, Math.min(MAX_CHUNK, Math.floor(MAX_CHUNK_BYTES / bytes)));
  chunkSizes.set(model, size);
  return size;
}

/** Loss and accuracy. Reads from the backend once for each chunk. */
export function evaluate(model: Model, parameters: readonly tf.Tensor[], examples: Examples): Figures {
  checkExamples(model, examples);
  const sums = tf.tidy(() =>
    tf.addN(
      inChunks(model, parameters, examples).map(({ x, labels }) =>
        tf.tidy(() => {
          const logits = model.apply(parameters, x);
          const losses = softmaxCrossEntropy(logits, oneHot(labels, model.classes));
          const correct = tf.equal(tf.argMax(logits, 1), labels);
          return tf.stack([tf.sum(losses), tf.sum(tf.cast(correct, 'float32'))]);
        }),
      ),
    ),
  );
  const [loss = Number.NaN, correct = Number.NaN] = sums.dataSync();
  sums.dispose();
  const count = examples.labels.size;
  return { loss: loss / count, accuracy: correct / count, examples: count };
}
