/**
 * Training as a user of tfjs has it without this project: a network in stock operations, `tf.valueAndGrads`, and SGD with
 * momentum and weight decay tensor by tensor. What the engine's steps are compared with.
 */

import type { Examples, TrainingRun } from '@glocal/trainer/engine';
import { type Model, sizeOf } from '@glocal/trainer/engine';
import * as tf from '@tensorflow/tfjs-core';

/** Logits of images, `[batch, classes]`, in stock operations; takes the weights that our model of that name has. */
export type StockNetwork = (weights: readonly tf.Tensor[], x: tf.Tensor4D) => tf.Tensor;

export interface SgdValues {
  readonly lr: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

export class StockTraining {
  readonly #network: StockNetwork;
  readonly #values: SgdValues;
  readonly #classes: number;
  #weights: tf.Tensor[];
  #momentum: tf.Tensor[];

  /**
   * @param model of ours that the network is.
   * @param weights θ to start from, as that model has it.
   */
  constructor(network: StockNetwork, model: Model, weights: Float32Array, values: SgdValues) {
    this.#network = network;
    this.#values = values;
    this.#classes = model.classes;
    let offset = 0;
    this.#weights = model.parameters.map(({ shape }) => {
      const end = offset + sizeOf(shape);
      const part = tf.keep(tf.tensor(weights.slice(offset, end), [...shape]));
      offset = end;
      return part;
    });
    this.#momentum = this.#weights.map((part) => tf.keep(tf.zerosLike(part)));
  }

  /** The mean cross-entropy before the update is computed, and dropped. */
  step(batch: Examples): void {
    const { lr, momentum, weightDecay } = this.#values;
    const next = tf.tidy(() => {
      const { grads } = tf.valueAndGrads((...weights) => this.#meanLoss(weights, batch))(this.#weights);
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

  /** The mean cross-entropy at the weights as they are. */
  loss(examples: Examples): number {
    const loss = tf.tidy(() => this.#meanLoss(this.#weights, examples));
    const [value = Number.NaN] = loss.dataSync();
    loss.dispose();
    return value;
  }

  dispose(): void {
    tf.dispose([this.#weights, this.#momentum]);
  }

  #meanLoss(weights: readonly tf.Tensor[], { x, labels }: Examples): tf.Scalar {
    const logits = this.#network(weights, x as tf.Tensor4D);
    return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, this.#classes), logits);
  }
}

/** Relative difference up to which two losses are of the same network. Sums of float32 in another order differ by less. */
const SAME = 1e-4;

/**
 * Makes sure that two steps are comparable: after as many of each, from the same weights on the same examples, the losses
 * agree, so that network, gradient and update are the same.
 */
export function requireSameLoss(ours: TrainingRun, stock: StockTraining, examples: Examples): void {
  const { loss: expected } = ours.evaluate(examples);
  const found = stock.loss(examples);
  // Not so for NaN either.
  if (Math.abs(found - expected) <= SAME * expected) return;
  throw new Error(
    `the stock network's loss is ${found}, that of ${ours.objective.id} ${expected}: nothing to compare`,
  );
}
