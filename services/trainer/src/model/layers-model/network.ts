/** The layers of a `model.json`, checked and made to answer with logits, and how they are run. */

import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ModelError } from '../errors.ts';
import { shapeText } from '../family.ts';
import type { Description } from './artifacts.ts';
import { readConfiguration } from './configuration.ts';
import { follow, typeOf } from './graph.ts';
import { answerWithLogits, checkSoftmax } from './logits.ts';
import { checkMasks, type Masked, maskedMean, maskOf } from './masks.ts';
import { buildLayers } from './topology.ts';

export interface Network {
  /** With their weights at zero. */
  readonly layers: LayersModel;
  /** The file's regularizers and constraints, which are not used. */
  readonly penalties: readonly string[];
  /**
   * Logits, `[batch, classes]`.
   * @param x `[batch, …]`, as the layers take it.
   * @param entering is told the name of each layer before it is called.
   */
  forward(x: tf.Tensor, entering?: (layer: string) => void): tf.Tensor2D;
}

/**
 * @param where for messages, the file.
 * @throws ModelError FORMAT, UNKNOWN_LAYER, OPTION, NOT_A_CLASSIFIER
 */
export async function buildNetwork(description: Description, where: string): Promise<Network> {
  const { topology, penalties } = readConfiguration(description, where);
  const layers = await buildLayers(topology, where);
  checkClassifier(layers, where);
  const removed = answerWithLogits(layers, where);
  checkMasks(layers, where);
  checkSoftmax(layers, removed, where);
  return { layers, penalties, forward: (x, entering) => run(layers, x, entering) };
}

/** @throws ModelError NOT_A_CLASSIFIER */
function checkClassifier({ inputs, outputs, trainableWeights }: LayersModel, where: string): void {
  const refuse = (why: string): never => {
    throw new ModelError('NOT_A_CLASSIFIER', `${where}: ${why}`);
  };
  if (inputs.length !== 1 || outputs.length !== 1) {
    refuse(`it has ${inputs.length} inputs and ${outputs.length} outputs; a classifier has one of each`);
  }
  const [output] = outputs as [SymbolicTensor];
  if (output.shape.length !== 2 || !((output.shape[1] ?? 0) >= 2)) {
    refuse(
      `an example's output is of shape ${shapeText(output.shape.slice(1))}; it must be one number for each of two or ` +
        'more classes',
    );
  }
  if (trainableWeights.length === 0) {
    refuse('it has no trainable weights; set trainable = true for the layers to train, and save it again');
  }
}

/** Runs the layers as in inference. tfjs's own way of running them mixes up masks and initial states of layers. */
function run(model: LayersModel, x: tf.Tensor, entering?: (layer: string) => void): tf.Tensor2D {
  const [input] = model.inputs as [SymbolicTensor];
  return tf.tidy(() => {
    const tensor = x.dtype === input.dtype ? x : tf.cast(x, input.dtype);
    const [logits] = follow<Masked>(model, [{ tensor }], (call, given) => {
      const { layer } = call;
      const [first] = given as [Masked];
      entering?.(layer.name);
      if (typeOf(layer) === 'GlobalAveragePooling1D' && first.mask) return [{ tensor: maskedMean(first) }];
      const tensors = given.map((one) => one.tensor);
      const outputs = layer.apply(tensors, { training: false, mask: first.mask }) as tf.Tensor | tf.Tensor[];
      const mask = maskOf(call, given);
      return [outputs].flat().map((output, i) => ({ tensor: output, mask: i === 0 ? mask : undefined }));
    });
    return (logits as Masked).tensor as tf.Tensor2D;
  });
}
