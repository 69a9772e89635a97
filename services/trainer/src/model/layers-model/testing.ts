/** Models in the form of Keras 2's converter, for tests. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { noise } from '../../ad/rules/rule-case.ts';
import { type Model, sizeOf } from '../model.ts';
import { getModel } from '../registry.ts';
import { buildNetwork } from './network.ts';

type Json = Readonly<Record<string, unknown>>;

/** A layer, as the converter writes it. */
export interface KerasLayer extends Json {
  readonly class_name: string;
  readonly name: string;
  readonly config: Json;
}

export const layer = (
  class_name: string,
  name: string,
  config: Json = {},
  from: readonly unknown[] = [],
): KerasLayer => ({
  class_name,
  name,
  config: { name, trainable: true, dtype: 'float32', ...config },
  inbound_nodes:
    from.length === 0 ? [] : [from.map((input) => (typeof input === 'string' ? [input, 0, 0, {}] : input))],
});

export const input = (shape: readonly number[], config: Json = {}): KerasLayer =>
  layer('InputLayer', 'in', { batch_input_shape: [null, ...shape], sparse: false, ragged: false, ...config });

export const dense = (units: number, config: Json = {}): KerasLayer =>
  layer('Dense', 'dense', { units, activation: 'linear', use_bias: true, ...config });

export const sequential = (...layers: KerasLayer[]): Json => ({
  class_name: 'Sequential',
  config: { name: 'sequential', layers },
});

/** @param layers the last one is the output; the first one is the input. */
export const functional = (...layers: KerasLayer[]): Json => ({
  class_name: 'Functional',
  config: {
    name: 'model',
    trainable: true,
    layers,
    input_layers: [[layers[0]?.name, 0, 0]],
    output_layers: [[layers.at(-1)?.name, 0, 0]],
  },
});

/** Writes a model with weights that are noise; answers with its folder. */
export async function writeModel(home: string, id: string, model_config: Json): Promise<string> {
  const topology = { keras_version: '2.15.0', backend: 'tensorflow', model_config };
  const { layers } = await buildNetwork({ topology }, id);
  const weights = layers.weights.map(({ originalName, shape }) => ({
    name: originalName,
    shape: shape as number[],
    dtype: 'float32',
  }));
  layers.dispose();
  const bytes = weights.map(({ name, shape }, i) => {
    const numbers = Float32Array.from({ length: sizeOf(shape) }, (_, k) => noise(i + 1, k));
    return Buffer.from(
      (name.endsWith('variance') ? numbers.map((value) => value ** 2 + 0.1) : numbers).buffer,
    );
  });
  const folder = join(home, id);
  await mkdir(folder);
  await writeFile(join(folder, 'weights.bin'), Buffer.concat(bytes));
  const json = {
    format: 'layers-model',
    modelTopology: topology,
    weightsManifest: [{ paths: ['weights.bin'], weights }],
  };
  await writeFile(join(folder, 'model.json'), JSON.stringify(json));
  return folder;
}

let count = 0;

/** A model that is written and read again. */
export async function kerasModel(
  home: string,
  model_config: Json,
  inputShape: readonly number[],
  classes: number,
): Promise<Model> {
  const id = `model-${count++}`;
  await writeModel(home, id, model_config);
  return getModel(id, { inputShape, classes }, home);
}

/** A model's weights, as in its file. */
export function tensors(model: Model): tf.Tensor[] {
  const theta = model.initialise(0);
  let offset = 0;
  return model.parameters.map(({ shape }) => {
    const part = theta.subarray(offset, offset + sizeOf(shape));
    offset += part.length;
    return tf.tensor(part, [...shape]);
  });
}

export const largestDifference = (a: tf.Tensor, b: tf.Tensor): number =>
  tf.max(tf.abs(tf.sub(a, b))).dataSync()[0] as number;
