/**
 * The step that a user of tfjs has without this project: LeNet in stock operations, `tf.valueAndGrads`, and SGD with
 * momentum and weight decay tensor by tensor. What the engine's steps are compared with.
 */

import type { Examples } from '@glocal/trainer/inner/loss.ts';
import { type Model, sizeOf } from '@glocal/trainer/model/model.ts';
import * as tf from '@tensorflow/tfjs-core';

const SLOPE = 0.01;

export interface StockValues {
  readonly lr: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

export class StockLenet {
  readonly #values: StockValues;
  readonly #classes: number;
  #weights: tf.Tensor[];
  #momentum: tf.Tensor[];

  /** @param lenet whose parameters it takes, in their order. */
  constructor(lenet: Model, values: StockValues) {
    this.#values = values;
    this.#classes = lenet.classes;
    const initial = lenet.initialise(0);
    let offset = 0;
    this.#weights = lenet.parameters.map(({ shape }) => {
      const end = offset + sizeOf(shape);
      const weights = tf.keep(tf.tensor(initial.slice(offset, end), [...shape]));
      offset = end;
      return weights;
    });
    this.#momentum = this.#weights.map((weights) => tf.keep(tf.zerosLike(weights)));
  }

  /** The mean cross-entropy before the update is computed, and dropped. */
  step({ x, labels }: Examples): void {
    const { lr, momentum, weightDecay } = this.#values;
    const next = tf.tidy(() => {
      const targets = tf.oneHot(labels, this.#classes);
      const loss = (...weights: tf.Tensor[]): tf.Scalar =>
        tf.losses.softmaxCrossEntropy(targets, logits(weights, x as tf.Tensor4D));
      const { grads } = tf.valueAndGrads(loss)(this.#weights);
      return this.#weights.flatMap((weights, i) => {
        const decayed = tf.add(grads[i] as tf.Tensor, tf.mul(weights, weightDecay));
        const velocity = tf.add(tf.mul(this.#momentum[i] as tf.Tensor, momentum), decayed);
        return [tf.sub(weights, tf.mul(velocity, lr)), velocity];
      });
    });
    this.dispose();
    for (const tensor of next) tf.keep(tensor);
    this.#weights = next.filter((_, i) => i % 2 === 0);
    this.#momentum = next.filter((_, i) => i % 2 === 1);
  }

  dispose(): void {
    tf.dispose([this.#weights, this.#momentum]);
  }
}

function logits(weights: readonly tf.Tensor[], x: tf.Tensor4D): tf.Tensor {
  const [kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4] = weights as [
    tf.Tensor4D,
    tf.Tensor,
    tf.Tensor4D,
    tf.Tensor,
    tf.Tensor2D,
    tf.Tensor,
    tf.Tensor2D,
    tf.Tensor,
  ];
  const block = (input: tf.Tensor4D, kernel: tf.Tensor4D, bias: tf.Tensor): tf.Tensor4D => {
    const convolved = tf.add(tf.conv2d(input, kernel, 1, 'valid'), bias) as tf.Tensor4D;
    return tf.leakyRelu(tf.maxPool(convolved, 2, 2, 'valid'), SLOPE);
  };
  const features = block(block(x, kernel1, bias1), kernel2, bias2);
  const flat = tf.reshape(features, [x.shape[0], -1]) as tf.Tensor2D;
  const hidden = tf.leakyRelu(tf.add(tf.matMul(flat, kernel3), bias3), SLOPE) as tf.Tensor2D;
  return tf.add(tf.matMul(hidden, kernel4), bias4);
}
