/** Logits in the place of the probabilities that a model answers with. */

import type * as tf from '@tensorflow/tfjs-core';
import { LayersModel, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ModelError } from '../errors.ts';
import { follow, type Layer, typeOf } from './graph.ts';

interface Activation {
  getClassName(): string;
}

/** What tfjs does not declare of the layers that have an activation. */
interface Activated {
  activation?: Activation;
  readonly cell?: { readonly activation?: Activation };
  readonly forwardLayer?: Layer;
  readonly layer?: Layer;
}

interface Softmax {
  readonly axis?: number | number[];
}

/** Layers through which values come as they are, outside of Keras's training. */
const PASSING: ReadonlySet<string> = new Set([
  'AlphaDropout',
  'Dropout',
  'Flatten',
  'GaussianDropout',
  'GaussianNoise',
  'Reshape',
]);

/**
 * Layers with a kernel: whatever they take, they answer with probabilities only by their activation. A frozen one over a
 * softmax is the exception: it may be no more than a mean.
 */
const LINEAR: ReadonlySet<string> = new Set([
  'Bidirectional',
  'Conv1D',
  'Conv2D',
  'Conv2DTranspose',
  'Conv3D',
  'Conv3DTranspose',
  'ConvLSTM2D',
  'Dense',
  'DepthwiseConv2D',
  'Embedding',
  'GRU',
  'LSTM',
  'RNN',
  'SeparableConv2D',
  'SimpleRNN',
]);

/** Layers that answer with probabilities only when all that they take is. */
const PRODUCTS: ReadonlySet<string> = new Set(['Dot', 'Multiply']);

const PROBABILITIES: ReadonlySet<string> = new Set(['softmax', 'sigmoid', 'hardSigmoid']);

/**
 * Makes a model whose last layer is a softmax answer with logits, by taking the softmax away; one that answers with scores
 * of any size stays as it is.
 * @param where for messages, the file.
 * @returns the layer whose softmax was taken away.
 * @throws ModelError NOT_A_CLASSIFIER when the output is made of probabilities in a way that cannot be undone.
 */
export function answerWithLogits(model: LayersModel, where: string): Layer | undefined {
  const refuse = (why: string): never => {
    throw new ModelError('NOT_A_CLASSIFIER', `${where}: ${why}`);
  };
  const maker = probabilitiesOf(model);
  if (maker === undefined) return undefined;
  const [output] = model.outputs as [SymbolicTensor];
  const { tensor, isShared } = sourceOf(output);
  const layer = tensor.sourceLayer;
  if (activationOf(maker) !== 'softmax') {
    refuse(
      `its output is made of what layer "${maker.name}" answers with, which has the activation ${activationOf(maker)}, and ` +
        'the loss is made of logits of classes that exclude each other; save the model with the activation softmax or linear',
    );
  }
  if (layer === maker && !isRemovable(layer)) {
    refuse(
      `its output is that of layer "${layer.name}" (${typeOf(layer)}), whose softmax is applied inside of the layer, so that ` +
        'it cannot be left out; save the model with a Dense layer after it, with the activation softmax',
    );
  }
  if (layer !== maker) {
    refuse(
      `its output is made of the probabilities of layer "${maker.name}" by layer "${layer.name}" (${typeOf(layer)}), so that ` +
        'the softmax cannot be left out; save the model with one softmax, at the end, over what is linear before it',
    );
  }
  if (isShared || !isOverClasses(tensor, output.shape.at(-1))) {
    refuse(
      `the softmax of layer "${layer.name}" is not over the classes alone, so that it cannot be left out; save the ` +
        'model with a linear output',
    );
  }
  if (typeOf(layer) === 'Softmax')
    layer.call = (inputs) => (Array.isArray(inputs) ? (inputs as [tf.Tensor])[0] : inputs);
  else (layer as unknown as Activated).activation = linear();
  return layer;
}

/**
 * tfjs has a softmax over the last axis only.
 * @param removed the layer whose softmax was taken away.
 * @throws ModelError OPTION
 */
export function checkSoftmax(model: LayersModel, removed: Layer | undefined, where: string): void {
  follow<undefined>(model, [undefined], ({ layer, inputs: [input], outputs }) => {
    const { axis = -1 } = layer as unknown as Softmax;
    if (typeOf(layer) === 'Softmax' && layer !== removed && axis !== -1 && axis !== Number(input?.rank) - 1) {
      throw new ModelError(
        'OPTION',
        `${where}: layer "${layer.name}" (Softmax): axis is ${JSON.stringify(axis)}, and only the last axis is ` +
          'implemented; put a Permute layer before it and another after it',
      );
    }
    return outputs.map(() => undefined);
  });
}

/** The layer whose probabilities a model answers with, itself or after layers without a kernel; undefined for scores. */
function probabilitiesOf(model: LayersModel): Layer | undefined {
  const [maker] = follow<Layer | undefined>(
    model,
    model.inputs.map(() => undefined),
    ({ layer, outputs }, inputs) => {
      const made = madeBy(layer, inputs);
      return outputs.map(() => made);
    },
  );
  return maker;
}

function madeBy(layer: Layer, inputs: readonly (Layer | undefined)[]): Layer | undefined {
  const type = typeOf(layer);
  const activation = activationOf(layer);
  const { layer: inner } = layer as unknown as Activated;
  if (activation !== undefined && PROBABILITIES.has(activation)) return layer;
  if (activation === 'linear' && layer.trainableWeights.length === 0) {
    const head = inputs.find((maker) => maker !== undefined && activationOf(maker) === 'softmax');
    if (head !== undefined) return head;
  }
  if (LINEAR.has(type) || activation === 'logSoftmax') return undefined;
  if (inner instanceof LayersModel) return probabilitiesOf(inner) && layer;
  if (inner !== undefined) return madeBy(inner, inputs);
  return PRODUCTS.has(type) && inputs.includes(undefined)
    ? undefined
    : inputs.find((maker) => maker !== undefined);
}

/** Whether the softmax is the last thing that a layer does. */
const isRemovable = (layer: Layer): boolean =>
  typeOf(layer) === 'Softmax' || (layer as unknown as Activated).activation !== undefined;

/** Name of the activation that a layer's output went through last. */
function activationOf(layer: Layer): string | undefined {
  const { activation, cell, forwardLayer, layer: inner } = layer as unknown as Activated;
  if (typeOf(layer) === 'Softmax') return 'softmax';
  if (forwardLayer !== undefined) return activationOf(forwardLayer);
  if (inner !== undefined) return activationOf(inner);
  return (activation ?? cell?.activation)?.getClassName();
}

/** What a tensor is before it passes through layers that do not change its values, and out of inner models. */
function sourceOf(tensor: SymbolicTensor): { tensor: SymbolicTensor; isShared: boolean } {
  const { sourceLayer: layer, inputs } = tensor;
  const [input] = inputs;
  if (layer instanceof LayersModel) {
    const inner = sourceOf(layer.outputs[0] as SymbolicTensor);
    // The first call is that of its own making.
    return { tensor: inner.tensor, isShared: inner.isShared || layer.inboundNodes.length > 2 };
  }
  if (PASSING.has(typeOf(layer)) && input) return sourceOf(input);
  return { tensor, isShared: layer.inboundNodes.length > 1 || layer.outboundNodes.length > 1 };
}

/** Whether a softmax is over all numbers of an example, which are as many as there are classes. */
function isOverClasses({ shape, sourceLayer }: SymbolicTensor, classes: number | null | undefined): boolean {
  const { axis = -1 } = sourceLayer as unknown as Softmax;
  const axes = typeOf(sourceLayer) === 'Softmax' ? [axis].flat() : [-1];
  const sizes = new Map(
    axes.map((given) => (given < 0 ? given + shape.length : given)).map((at) => [at, shape[at]]),
  );
  return (
    sizes.get(shape.length - 1) === classes &&
    [...sizes].every(([at, size]) => at === shape.length - 1 || size === 1)
  );
}

const linear = (): Activation =>
  (layers.activation({ activation: 'linear' }) as unknown as Required<Activated>).activation;
