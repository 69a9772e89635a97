/** Networks that a user might bring, as TensorFlow.js saves a LayersModel: built here, and uploaded. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { initBackend } from '@glocal/trainer/backend';
import { saveLayersModel } from '@glocal/trainer/engine';
import {
  initializers,
  input,
  type LayersModel,
  layers,
  model,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import type { Lab } from '../experiment.ts';

type Log = (line: string) => void;

/** Uploads it, and gives the name that a study has for it: the same for the same weights. */
export async function upload(
  { client, out, signal }: Pick<Lab, 'client' | 'out' | 'signal'>,
  network: LayersModel,
  name: string,
): Promise<string> {
  const folder = join(out, 'models', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await saveLayersModel(network, folder);
  return (await client.artifacts.upload(folder, { displayName: name, signal })).name;
}

const IMAGE = [28, 28, 1];
const CLASSES = 10;

/**
 * A small residual network for 28×28×1 and 10 classes, not trained: a convolution, three residual blocks of two, and a linear
 * layer, 8 layers with weights in all.
 */
export async function smallResnet(log: Log): Promise<LayersModel> {
  await initBackend({ log });
  let seed = 0;
  const convolution = (strides: number) => {
    seed += 1;
    return layers.conv2d({
      ...{ filters: 8, kernelSize: 3, strides, padding: 'same' as const, name: `convolution${seed}` },
      kernelInitializer: initializers.heUniform({ seed }),
    });
  };
  const relu = (x: SymbolicTensor) => layers.reLU().apply(x) as SymbolicTensor;
  const image = input({ shape: IMAGE });
  let x = relu(convolution(2).apply(image) as SymbolicTensor);
  for (let block = 0; block < 3; block++) {
    const inner = convolution(1).apply(relu(convolution(1).apply(x) as SymbolicTensor)) as SymbolicTensor;
    x = relu(layers.add().apply([x, inner]) as SymbolicTensor);
  }
  const pooled = layers.averagePooling2d({ poolSize: 2 }).apply(x) as SymbolicTensor;
  const flat = layers.flatten().apply(pooled) as SymbolicTensor;
  const logits = layers
    .dense({ units: CLASSES, name: 'linear', kernelInitializer: initializers.glorotUniform({ seed: 99 }) })
    .apply(flat) as SymbolicTensor;
  return model({ inputs: image, outputs: logits });
}

/** Two convolutions with pooling and two linear layers, for 28×28×1 and 10 classes, not trained. */
export async function smallConvnet(log: Log): Promise<LayersModel> {
  await initBackend({ log });
  const start = (seed: number) => ({ kernelInitializer: initializers.heUniform({ seed }) });
  return sequential({
    layers: [
      layers.conv2d({ inputShape: IMAGE, filters: 16, kernelSize: 5, activation: 'relu', ...start(1) }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 5, activation: 'relu', ...start(2) }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 32, activation: 'relu', ...start(3) }),
      layers.dense({ units: CLASSES, activation: 'softmax', ...start(4) }),
    ],
  });
}
