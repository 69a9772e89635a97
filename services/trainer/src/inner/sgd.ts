/** Stochastic gradient descent with momentum and coupled weight decay, all learnable (docs/method.md, section 2). */

import * as tf from '@tensorflow/tfjs-core';
import type { InnerOptimizer, Sensitive, Update } from './optimizer.ts';

/**
 * v' = μv + g + wθ, θ' = θ − ηv' with rate η, momentum μ, weight decay w. Linear in the rows of θ, v and the gradient, so
 * that values and sensitivities move by one matrix product.
 */
export const sgd: InnerOptimizer = {
  id: 'sgd',
  description: 'Stochastic gradient descent with momentum and weight decay (coupled, as an L2 penalty)',
  hyperparameters: [
    { name: 'lr', description: 'Learning rate', min: 0, max: 100, groupings: ['none'] },
    {
      name: 'momentum',
      description: 'Share of the last update that is kept',
      min: 0,
      max: 1,
      defaultValue: 0,
      groupings: ['none'],
    },
    {
      name: 'weightDecay',
      description: 'Weight decay',
      min: 0,
      max: 10,
      defaultValue: 0,
      groupings: ['none'],
    },
  ],
  buffers: ['momentum'],
  update({ weights, buffers: [momentum], gradient, values, learned }) {
    const rows = tf.concat([weights, momentum as Sensitive, gradient], 0);
    const moved = tf.matMul(tf.tensor2d(updateMatrix(values, learned)), rows);
    const [change, next] = tf.split(moved, 2, 0) as [Sensitive, Sensitive];
    // Added here and not in the product: 1 − ηw in float32 would round a small weight decay away.
    return { weights: tf.add(weights, change), buffers: [next] };
  },
};

/**
 * The matrix `[2(1 + q), 3(1 + q)]` that makes the rows of θ' − θ and v' from those of θ, v and the gradient.
 * @param learned hyperparameters of the rows 1…q of each.
 */
export function updateMatrix(values: Update['values'], learned: Update['learned']): number[][] {
  const { lr = Number.NaN, momentum = 0, weightDecay = 0 } = values;
  const n = 1 + learned.length;
  const columns = 3 * n;
  const [theta, v, g] = [0, n, 2 * n];
  const zeroRow = () => new Array<number>(columns).fill(0);

  const next = Array.from({ length: n }, (_, k) => {
    const row = zeroRow();
    row[theta + k] = weightDecay;
    row[v + k] = momentum;
    row[g + k] = 1;
    // dv' has also ∂v'/∂φ: v by the momentum's derivative, θ by the weight decay's.
    const by = learned[k - 1];
    if (by?.name === 'momentum') row[v] = by.derivative;
    if (by?.name === 'weightDecay') row[theta] = by.derivative;
    return row;
  });
  const change = next.map((row, k) => {
    const by = learned[k - 1];
    const rate = by?.name === 'lr' ? by.derivative : 0;
    return row.map((x, column) => -lr * x - rate * (next[0]?.[column] ?? 0));
  });
  return [...change, ...next];
}
