/** What a trainable model is: a function of weights and inputs, with no state of its own. */

import * as tf from '@tensorflow/tfjs-core';

/** One tensor of weights. */
export interface ModelParameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A classifier. */
export interface Model {
  /** The id that a study names. */
  readonly id: string;
  /** For people. */
  readonly description: string;
  /** Shape of one example, for instance `[28, 28, 1]` (height, width, channels). */
  readonly inputShape: readonly number[];
  /** Number of classes. */
  readonly classes: number;
  /** The weights in their order; the flat vector θ has them one after the other, each row-major. */
  readonly parameters: readonly ModelParameter[];
  /** Whether examples of this shape can be fed. */
  accepts(inputShape: readonly number[]): boolean;
  /**
   * Weights to start from, as the flat vector θ.
   * @param seed any number; the same seed gives the same weights on every backend.
   */
  initialise(seed: number): Float32Array;
  /**
   * Logits of a batch. Plain `tf.*` code (and the operations of `ad/ops/`).
   * @param parameters one tensor for each of {@link parameters}.
   * @param x `[batch, ...inputShape]`, float32.
   * @returns `[batch, classes]`, float32.
   */
  apply(parameters: readonly tf.Tensor[], x: tf.Tensor): tf.Tensor2D;
}

/** Number of weights, p. */
export function weightCount({ parameters }: Pick<Model, 'parameters'>): number {
  return parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What a model is defined by; the rest follows. */
export interface ModelDefinition extends Omit<Model, 'accepts' | 'initialise' | 'parameters'> {
  /** Each weight with the number of inputs of a unit that it belongs to. */
  readonly parameters: readonly (ModelParameter & { readonly fanIn: number })[];
}

/** A model whose weights and biases start uniform in ±1/√fanIn. */
export function defineModel(definition: ModelDefinition): Model {
  return {
    ...definition,
    accepts: (inputShape) => tf.util.arraysEqual([...inputShape], [...definition.inputShape]),
    initialise: (seed) => initialWeights(definition.parameters, seed),
  };
}

function initialWeights(parameters: ModelDefinition['parameters'], seed: number): Float32Array {
  const weights = new Float32Array(weightCount({ parameters }));
  let offset = 0;
  parameters.forEach(({ name, shape, fanIn }) => {
    const limit = 1 / Math.sqrt(fanIn);
    // Made on the host from a generator of its own for each parameter.
    const values = tf.tidy(() =>
      tf.randomUniform([sizeOf(shape)], -limit, limit, 'float32', `${seed}/${name}`).dataSync(),
    );
    weights.set(values, offset);
    offset += values.length;
  });
  return weights;
}
