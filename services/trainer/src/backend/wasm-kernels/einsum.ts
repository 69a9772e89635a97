/** Sums of products over named indices, which the package lacks. (The cpu backend's are wrong for some equations.) */

import * as tf from '@tensorflow/tfjs-core';
import type { Inputs } from './kernel.ts';

/** Each factor with an axis for every index, of length 1 where it lacks the index; their product, summed. */
export function einsum(inputs: Inputs, { equation }: { equation: string }): tf.Tensor {
  const [operands = '', result = ''] = equation.replace(/\s/g, '').split('->');
  const terms = operands.split(',');
  const all = [...new Set([...result, ...terms.join('')])];
  const factors = terms.map((indices, i) => {
    const factor = inputs[i] as tf.Tensor;
    const order = all.flatMap((index) => (indices.includes(index) ? [indices.indexOf(index)] : []));
    const shape = all.map((index) =>
      indices.includes(index) ? (factor.shape[indices.indexOf(index)] ?? 1) : 1,
    );
    return tf.reshape(tf.transpose(factor, order), shape);
  });
  const product = factors.reduce((a, b) => tf.mul(a, b));
  return tf.sum(product, all.map((_, axis) => axis).slice(result.length));
}
