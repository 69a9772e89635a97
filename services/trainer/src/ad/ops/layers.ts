/**
 * Operations for models whose derivatives are cheaper than those of their stock counterparts: forward mode over the stock
 * ones works as well, and gives the same numbers.
 */

import * as tf from '@tensorflow/tfjs-core';
import { runPrimitive } from './primitives.ts';

/**
 * Max pooling over windows of 2 × 2 with stride 2; an odd last row or column is left out.
 * @param x `[batch, height, width, channels]`, float32.
 * @returns `[batch, ⌊height/2⌋, ⌊width/2⌋, channels]`.
 */
export function maxPool2x2(x: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const even: [number, number, number, number] = [
    batch,
    height - (height % 2),
    width - (width % 2),
    channels,
  ];
  const pool = tf.customGrad((input, save) => {
    const [y, choice] = runPrimitive<tf.Tensor[]>('MaxPool2x2', { x: input as tf.Tensor }) as [
      tf.Tensor,
      tf.Tensor,
    ];
    (save as tf.GradSaveFunc)([choice]);
    return {
      value: y,
      gradFunc: (dy, [saved]) =>
        runPrimitive<tf.Tensor>('MaxPool2x2Grad', { dy, choice: saved as tf.Tensor }),
    };
  });
  return pool(tf.util.arraysEqual(x.shape, even) ? x : tf.slice(x, 0, even)) as tf.Tensor4D;
}

/**
 * x where x > 0, else alpha · x.
 * @param alpha in [0, 1].
 */
export function leakyRelu<T extends tf.Tensor>(x: T, alpha: number): T {
  if (!(alpha >= 0 && alpha <= 1))
    throw new RangeError(`the slope ${alpha} of a leaky ReLU is not in [0, 1]`);
  const activate = tf.customGrad((input, save) => {
    const [y, slope] = runPrimitive<tf.Tensor[]>(
      'LeakyReluWithSlope',
      { x: input as tf.Tensor },
      { alpha },
    ) as [tf.Tensor, tf.Tensor];
    (save as tf.GradSaveFunc)([slope]);
    return { value: y, gradFunc: (dy, [saved]) => tf.mul(dy, saved as tf.Tensor) };
  });
  return activate(x) as T;
}
