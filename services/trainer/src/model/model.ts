/** What a trainable model is: a function of weights and inputs, with no state of its own. */

import * as tf from '@tensorflow/tfjs-core';

/** What a model is built for: examples of a shape, to be told apart by class. */
export interface Task {
  /** Shape of one example, for instance `[28, 28, 1]` (height, width, channels). */
  readonly inputShape: readonly number[];
  /** Number of classes. */
  readonly classes: number;
}

/** One tensor of weights. */
export interface ModelParameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A classifier. */
export interface Model extends Task {
  /** The id that a study names. */
  readonly id: string;
  /** For people. */
  readonly description: string;
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

/** How a tensor of weights starts. */
export type Start =
  /** Uniform in ±1/√fanIn, with the number of inputs of a unit. */
  | { readonly fanIn: number }
  /** Uniform in ±√(6/heFanIn), of variance 2/heFanIn: for units that are rectified (He et al., 2015). */
  | { readonly heFanIn: number }
  /** This number everywhere. */
  | { readonly constant: number };

/** What a model is defined by; the rest follows. */
export interface ModelDefinition extends Omit<Model, 'accepts' | 'initialise' | 'parameters'> {
  readonly parameters: readonly (ModelParameter & Start)[];
}

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
  for (const parameter of parameters) {
    const size = sizeOf(parameter.shape);
    const part = weights.subarray(offset, offset + size);
    if ('constant' in parameter) part.fill(parameter.constant);
    else part.set(uniform(size, limitOf(parameter), `${seed}/${parameter.name}`));
    offset += size;
  }
  return weights;
}

const limitOf = (start: Exclude<Start, { constant: number }>): number =>
  'fanIn' in start ? 1 / Math.sqrt(start.fanIn) : Math.sqrt(6 / start.heFanIn);

/** Made on the host, from a generator of its own for each seed. */
function uniform(size: number, limit: number, seed: string): Float32Array {
  const tensor = tf.randomUniform([size], -limit, limit, 'float32', seed);
  const values = tensor.dataSync() as Float32Array;
  tensor.dispose();
  return values;
}
