/**
 * Which steps of a sequence count, as Keras 2 has it: an Embedding with `mask_zero` and a Masking make a mask of shape
 * `[batch, steps]`; other layers use it, pass it on, or drop it. tfjs itself hands the last mask that was made to every
 * layer after it, and has no mean over the steps that count.
 */

import * as tf from '@tensorflow/tfjs-core';
import { LayersModel } from '@tensorflow/tfjs-layers';
import { ModelError } from '../errors.ts';
import { follow, type Layer, type LayerCall, typeOf } from './graph.ts';

/** What tfjs does not declare of the layers that masks concern. */
interface MaskedLayer {
  readonly maskZero?: boolean;
  readonly returnSequences?: boolean;
  readonly mergeMode?: string | null;
  readonly axis?: number;
  readonly layer?: Layer;
}

/** Layers that compute each step from itself alone. */
const PASSING: ReadonlySet<string> = new Set([
  'Activation',
  'AlphaDropout',
  'BatchNormalization',
  'Dense',
  'Dropout',
  'ELU',
  'GaussianDropout',
  'GaussianNoise',
  'LayerNormalization',
  'LeakyReLU',
  'PReLU',
  'ReLU',
  'SpatialDropout1D',
  'ThresholdedReLU',
]);
const RECURRENT: ReadonlySet<string> = new Set(['Bidirectional', 'GRU', 'LSTM', 'RNN', 'SimpleRNN']);
const MERGING: ReadonlySet<string> = new Set(['Add', 'Average', 'Maximum', 'Minimum', 'Multiply']);

/** Whether a layer's first output has a mask, or `unknown` where that is not implemented. */
function hasMask(call: LayerCall, masked: readonly boolean[]): boolean | 'unknown' {
  const { layer, inputs } = call;
  const type = typeOf(layer);
  const { returnSequences = false, mergeMode, axis = -1, layer: inner } = layer as unknown as MaskedLayer;
  if (makesMask(layer)) return true;
  if (type === 'TimeDistributed' && inner !== undefined && holdsMask(inner)) return 'unknown';
  if (!masked.includes(true)) return false;
  if (PASSING.has(type)) return true;
  if (MERGING.has(type)) return inputs.every(({ rank }) => rank === inputs[0]?.rank) || 'unknown';
  // Before the first step that counts, Keras 2 answers with zeros, and tfjs with the initial state.
  if (RECURRENT.has(type) && inputs.length > 1 && masked[0] === true) return 'unknown';
  if (RECURRENT.has(type)) return returnSequences && (mergeMode === null ? 'unknown' : masked[0] === true);
  if (type === 'Concatenate')
    return isLastAxis(axis, inputs[0]?.rank) || (axis === 1 && !masked.includes(false)) || 'unknown';
  if (type === 'TimeDistributed') return (inner !== undefined && PASSING.has(typeOf(inner))) || 'unknown';
  return type === 'Softmax' || type === 'ConvLSTM2D' ? 'unknown' : false;
}

const makesMask = (layer: Layer): boolean =>
  typeOf(layer) === 'Masking' || (layer as unknown as MaskedLayer).maskZero === true;

const holdsMask = (layer: Layer): boolean =>
  makesMask(layer) || (layer instanceof LayersModel && layer.layers.some(holdsMask));

const isLastAxis = (axis: number, rank = 0): boolean => axis === -1 || axis === rank - 1;

/** @throws ModelError OPTION when a mask reaches a layer for which it is not implemented, or the model's output. */
export function checkMasks(model: LayersModel, where: string): void {
  const refuse = (what: string): never => {
    throw new ModelError(
      'OPTION',
      `${where}: the mask of an Embedding with mask_zero or of a Masking layer reaches ${what}; save the model without it`,
    );
  };
  const [isMasked] = follow<boolean>(model, [false], (call, masked) => {
    const first = hasMask(call, masked);
    if (first === 'unknown') {
      return refuse(
        `layer "${call.layer.name}" (${typeOf(call.layer)}), for which masks ` +
          `${RECURRENT.has(typeOf(call.layer)) && call.inputs.length > 1 ? 'with an initial_state ' : ''}are not implemented`,
      );
    }
    return call.outputs.map((_, i) => i === 0 && first);
  });
  if (isMasked) refuse('its output, where Keras would leave examples out of the loss');
}

/** A tensor with the mask of its steps, of dtype bool. */
export interface Masked {
  readonly tensor: tf.Tensor;
  readonly mask?: tf.Tensor | undefined;
}

/** The mask of a layer's first output. */
export function maskOf(call: LayerCall, inputs: readonly Masked[]): tf.Tensor | undefined {
  const masks = inputs.flatMap(({ mask }) => mask ?? []);
  if (
    hasMask(
      call,
      inputs.map(({ mask }) => mask !== undefined),
    ) !== true
  )
    return undefined;
  const { layer } = call;
  if (makesMask(layer)) return layer.computeMask((inputs[0] as Masked).tensor) as tf.Tensor;
  const { axis = -1 } = layer as unknown as MaskedLayer;
  if (typeOf(layer) === 'Concatenate' && !isLastAxis(axis, call.inputs[0]?.rank))
    return tf.concat(masks, axis);
  return masks.reduce((all, mask) => tf.logicalAnd(all, mask));
}

/** The mean over the steps that count: `[batch, steps, n]` to `[batch, n]`. */
export function maskedMean({ tensor, mask }: Masked): tf.Tensor {
  const counts = tf.cast(tf.expandDims(mask as tf.Tensor, -1), 'float32');
  return tf.div(tf.sum(tf.mul(tensor, counts), 1), tf.sum(counts, 1));
}
