/**
 * A model from a `model.json`, the format of tfjs's LayersModel and of Keras's converter. Its trainable weights are θ and
 * start as they are in the file, whatever the seed. Its other weights are constants, and its layers run as in inference:
 * batch normalisation by its stored statistics, no dropout.
 */

import { basename, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, LayerVariable, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { gradJvp } from '../../ad/jvp.ts';
import { softmaxCrossEntropy } from '../../ad/ops/softmax-cross-entropy.ts';
import { listed, printable } from '../../resource/quote.ts';
import { ModelError } from '../errors.ts';
import { type ModelFamily, shapeText } from '../family.ts';
import { type Model, type ModelParameter, sizeOf, type Task } from '../model.ts';
import { type Artifacts, readArtifacts } from './artifacts.ts';
import type { Network } from './network.ts';

/** What a model can be trained on. */
export interface Taken {
  /** null where any size will do. */
  readonly inputShape: readonly (number | null)[];
  readonly classes: number;
}

/** Why a model that takes this cannot be trained on a task, or undefined when it can. */
export function rejectsTask(takes: Taken, { inputShape, classes }: Task): string | undefined {
  if (!holds(takes.inputShape, inputShape)) {
    return `it takes examples of shape ${shapeText(takes.inputShape)}, and these are ${shapeText(inputShape)}`;
  }
  return takes.classes === classes ? undefined : `it tells ${takes.classes} classes apart, not ${classes}`;
}

/** A loaded model. It is of the tfjs backend that was in use when it was loaded; disposing it releases its weights. */
export class LoadedLayersModel implements ModelFamily, Disposable {
  readonly id: string;
  readonly description: string;
  readonly weights: number;
  readonly #network: Network;
  /** null where any size will do. */
  readonly #inputShape: readonly (number | null)[];
  readonly #classes: number;

  /** @param network with its weights. */
  constructor(id: string, network: Network) {
    const { inputs, outputs, layers, trainableWeights } = network.layers;
    this.id = id;
    this.#network = network;
    this.#inputShape = (inputs as [SymbolicTensor])[0].shape.slice(1);
    this.#classes = (outputs as [SymbolicTensor])[0].shape[1] as number;
    this.weights = trainableWeights.reduce((sum, { shape }) => sum + sizeOf(shape as number[]), 0);
    this.description =
      `LayersModel with ${layers.length} layers; ${shapeText(this.#inputShape)}, ${this.#classes} classes` +
      (network.penalties.length > 0 ? `; trained without its ${listed(network.penalties)}` : '');
  }

  /** What it can be trained on, as data. */
  get takes(): Taken {
    return { inputShape: this.#inputShape, classes: this.#classes };
  }

  rejects(task: Task): string | undefined {
    return rejectsTask(this.takes, task);
  }

  parameters(): readonly ModelParameter[] {
    return this.#network.layers.trainableWeights.map(({ originalName, shape }) => ({
      name: originalName,
      shape: shape as number[],
    }));
  }

  /**
   * Checks, besides, that the model can be differentiated twice on the backend in use.
   * @throws ModelError UNSUITABLE, NOT_DIFFERENTIABLE
   */
  build({ inputShape, classes }: Task): Model {
    const why = this.rejects({ inputShape, classes });
    if (why !== undefined)
      throw new ModelError('UNSUITABLE', `model ${this.id} does not fit the data: ${why}`);
    const { id, description } = this;
    const network = this.#network;
    const variables = network.layers.trainableWeights;
    const start = startOf(variables);
    const shape = this.#inputShape.length === inputShape.length ? inputShape : (this.#inputShape as number[]);
    let current = '';
    const model: Model = {
      id,
      description,
      inputShape,
      classes,
      parameters: this.parameters(),
      accepts: (given) => tf.util.arraysEqual([...given], [...inputShape]),
      initialise: () => start.slice(),
      apply: (parameters, x) =>
        withValues(variables, parameters, () =>
          network.forward(tf.reshape(x, [-1, ...shape]), (layer) => (current = layer)),
        ),
    };
    checkDifferentiable(model, () => current);
    return model;
  }

  [Symbol.dispose](): void {
    this.#network.layers.dispose();
  }
}

/**
 * Loads the model of a folder, whose name becomes its id, on the tfjs backend in use.
 * @throws ModelError when the files are not what they should be, or the model is not a classifier. Nothing stays behind then.
 */
export async function loadLayersModel(folder: string): Promise<LoadedLayersModel> {
  const artifacts = await readArtifacts(folder);
  // tfjs's layers take a while to load, and most trainers have no use for them.
  const { buildNetwork } = await import('./network.ts');
  const where = join(folder, 'model.json');
  const { registeredVariables } = tf.engine().state;
  const before = new Set(Object.keys(registeredVariables));
  try {
    const network = await buildNetwork(artifacts, where);
    setWeights(network.layers, artifacts, where);
    return new LoadedLayersModel(basename(folder), network);
  } catch (error) {
    for (const [name, variable] of Object.entries(registeredVariables)) {
      if (!before.has(name)) variable.dispose();
    }
    if (error instanceof ModelError) throw error;
    const why = printable(error instanceof Error ? error.message : String(error));
    throw new ModelError('FORMAT', `${where} cannot be used: ${why}`, { cause: error });
  }
}

/** @throws ModelError WEIGHTS when the files' weights are not exactly the layers'. */
function setWeights(model: LayersModel, { specs, data }: Artifacts, where: string): void {
  const refuse = (why: string, cause?: unknown): never => {
    throw new ModelError('WEIGHTS', `${where}: ${why}; copy the files again, all from the same model`, {
      cause,
    });
  };
  const layerShapes = new Map(model.weights.map(({ originalName, shape }) => [originalName, shape]));
  const own = specs.filter(({ group }) => group !== 'optimizer');
  for (const { name, shape } of own) {
    const expected = layerShapes.get(name);
    if (expected && shape.join() !== expected.join()) {
      refuse(`weight "${name}" is of shape ${shapeText(shape)} where its layer has ${shapeText(expected)}`);
    }
  }
  const tensors = tf.io.decodeWeights(data, specs);
  try {
    for (const { name } of own) {
      const values = tensors[name]?.dataSync() as Float32Array;
      const at = values.findIndex((value) => !Number.isFinite(value));
      if (at >= 0) refuse(`number ${at} of weight "${name}" is ${values[at]}`);
    }
    model.loadWeights(Object.fromEntries(own.map(({ name }) => [name, tensors[name] as tf.Tensor])));
  } catch (error) {
    if (error instanceof ModelError) throw error;
    refuse(`the weights are not those of its layers: ${(error as Error).message}`, error);
  } finally {
    tf.dispose(tensors);
  }
}

function startOf(variables: readonly LayerVariable[]): Float32Array {
  const parts = variables.map((variable) => variable.read().dataSync() as Float32Array);
  const start = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    start.set(part, offset);
    offset += part.length;
  }
  return start;
}

/**
 * Whether examples of a shape can be fed: of the same shape but for axes of size 1, or, to a model of vectors, of as many
 * numbers. Either has the numbers in the same order.
 */
function holds(shape: readonly (number | null)[], example: readonly number[]): boolean {
  if (shape.length === 1) return shape[0] === null ? example.length === 1 : shape[0] === sizeOf(example);
  if (shape.length === example.length)
    return shape.every((size, axis) => size === null || size === example[axis]);
  const squeezed = (sizes: readonly (number | null)[]) => sizes.filter((size) => size !== 1).join();
  return !shape.includes(null) && squeezed(shape) === squeezed(example);
}

/** Runs with tensors in the place of the layers' variables. */
function withValues<T>(variables: readonly LayerVariable[], values: readonly tf.Tensor[], run: () => T): T {
  variables.forEach((variable, i) => {
    // Shadows the method of the class.
    variable.read = () => values[i] as tf.Variable;
  });
  try {
    return run();
  } finally {
    for (const variable of variables) Reflect.deleteProperty(variable, 'read');
  }
}

/**
 * Takes the derivatives that training will take, on one example of zeros.
 * @param current name of the layer that was called last.
 */
function checkDifferentiable(model: Model, current: () => string): void {
  try {
    tf.tidy(() => {
      const parameters = model.parameters.map(({ shape }) => tf.zeros([...shape]));
      const x = tf.zeros([1, ...model.inputShape]);
      const target = tf.oneHot(tf.tensor1d([0], 'int32'), model.classes).toFloat() as tf.Tensor2D;
      const loss = (weights: tf.Tensor[]) =>
        tf.mean(softmaxCrossEntropy(model.apply(weights, x), target)) as tf.Scalar;
      gradJvp(
        loss,
        parameters,
        parameters.map((parameter) => tf.expandDims(parameter, 0)),
      );
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(
      'NOT_DIFFERENTIABLE',
      `model ${model.id} cannot be trained on backend ${tf.getBackend()}: up to layer "${current()}" or in its gradient: ${why}`,
      { cause },
    );
  }
}
