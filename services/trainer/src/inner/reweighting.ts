/**
 * The meta-module of the paper's section 4.2: a network that weighs each training example by its loss, and whose weights
 * are hyperparameters. Its units are those of Meta-Weight-Net (Shu et al., NeurIPS 2019); the paper does not say.
 */

import * as tf from '@tensorflow/tfjs-core';
import { networkSize } from './reweighting-size.ts';

/** The network, and what flows through it. */
export interface Reweighting {
  /** Hidden units; 128 in the paper, which make 385 weights. */
  readonly hidden: number;
  /** Whether the weight of an example counts as a constant when the loss is differentiated by the model's weights. */
  readonly detached: boolean;
}

/**
 * Weights to start from, uniform in ±1/√(inputs of the unit): the kernel and biases of the hidden layer, then those of
 * the output. `[networkSize]`; the same seed gives the same weights on every backend.
 */
export function initialNetwork({ hidden }: Pick<Reweighting, 'hidden'>, seed: number): Float32Array {
  const weights = new Float32Array(networkSize({ hidden }));
  const uniform = (size: number, fanIn: number, part: string) =>
    tf.tidy(() =>
      tf
        .randomUniform([size], -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn), 'float32', `${seed}/${part}`)
        .dataSync(),
    );
  weights.set(uniform(2 * hidden, 1, 'reweighting/hidden'));
  weights.set(uniform(hidden + 1, hidden, 'reweighting/output'), 2 * hidden);
  return weights;
}

/**
 * Weight of each example, σ(kernel₂ · relu(kernel₁ l + bias₁) + bias₂), strictly between 0 and 1.
 * @param network the network's weights, `[networkSize]`.
 * @param losses l, `[n]`.
 * @returns `[n]`.
 */
export function exampleWeights(network: tf.Tensor, losses: tf.Tensor): tf.Tensor1D {
  const hidden = (network.size - 1) / 3;
  const [kernel1, bias1, kernel2, bias2] = tf.split(network, [hidden, hidden, hidden, 1]) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const units = tf.relu(tf.add(tf.mul(tf.reshape(losses, [-1, 1]), kernel1), bias1)) as tf.Tensor2D;
  const output = tf.add(tf.matMul(units, tf.reshape(kernel2, [hidden, 1]) as tf.Tensor2D), bias2);
  return tf.reshape(tf.sigmoid(output), [-1]);
}
