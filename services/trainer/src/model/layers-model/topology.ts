/** Layers from a model's topology, with logits in place of probabilities. */

import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ModelError } from '../errors.ts';

type TfjsLayers = typeof import('@tensorflow/tfjs-layers');

/** A layer that has an activation; tfjs does not declare the member. */
interface Activated {
  activation: { getClassName(): string } | undefined;
}

/**
 * Builds the layers. Weights start at zero: they come from files.
 * @param where for messages, the file.
 * @throws ModelError UNKNOWN_LAYER, FORMAT
 */
export async function buildLayers(
  tfjs: TfjsLayers,
  topology: Readonly<Record<string, unknown>>,
  where: string,
): Promise<LayersModel> {
  const modelTopology = withoutTraining(topology) as Record<string, unknown>;
  try {
    return await tfjs.loadLayersModel({ load: async () => ({ modelTopology }) });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const [, what, name] = /^Unknown (\w+): ([^.]+)\./.exec(why) ?? [];
    if (name !== undefined) {
      throw new ModelError(
        'UNKNOWN_LAYER',
        `${where}: tfjs has no ${what} "${name}"; write the model with layers of tfjs, or in code (docs/models.md)`,
        { cause },
      );
    }
    const remedy = isOfKeras3(topology)
      ? 'it was saved by Keras 3, whose format tfjs does not read: save it with Keras 2 (package tf_keras)'
      : 'check it by loading it with tf.loadLayersModel, and save it again';
    const problem = why.split('\n')[0];
    throw new ModelError('FORMAT', `${where}: its layers do not fit together: ${problem}; ${remedy}`, {
      cause,
    });
  }
}

const isOfKeras3 = ({ keras_version }: Readonly<Record<string, unknown>>): boolean =>
  typeof keras_version === 'string' && keras_version.startsWith('3.');

/**
 * The same layers without initializers, which would only be overwritten, and without regularizers and constraints, which
 * only a training of Keras's own applies.
 */
function withoutTraining(config: unknown): unknown {
  if (Array.isArray(config)) return config.map(withoutTraining);
  if (typeof config !== 'object' || config === null) return config;
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (key.endsWith('_initializer')) return [key, { class_name: 'Zeros', config: {} }];
      if (key.endsWith('_regularizer') || key.endsWith('_constraint')) return [key, null];
      return [key, withoutTraining(value)];
    }),
  );
}

/** Layers through which logits come as they are. */
const PASSING: ReadonlySet<string> = new Set(['Flatten', 'Reshape', 'Dropout']);

/** Activations of which no logits can be had by leaving them out. */
const PROBABILITIES: ReadonlySet<string> = new Set(['sigmoid', 'hardSigmoid']);

/**
 * Makes a model whose last layer is a softmax answer with logits, by taking the softmax away; another stays as it is.
 * @throws ModelError NOT_A_CLASSIFIER when the last layer makes probabilities in a way that cannot be undone.
 */
export function answerWithLogits(tfjs: TfjsLayers, model: LayersModel, where: string): void {
  const refuse = (why: string): never => {
    throw new ModelError('NOT_A_CLASSIFIER', `${where}: ${why}`);
  };
  const [output] = model.outputs as [SymbolicTensor];
  const classes = output.shape.at(-1);
  const source = sourceOf(tfjs, output);
  const layer = source.sourceLayer;
  const activated = layer as unknown as Activated;
  const isSoftmax = layer.getClassName() === 'Softmax';
  const activation = isSoftmax ? 'softmax' : activated.activation?.getClassName();
  if (activation !== undefined && PROBABILITIES.has(activation)) {
    refuse(
      `its last layer, "${layer.name}", has the activation ${activation}, and the loss is made of logits of classes ` +
        'that exclude each other; save the model with the activation softmax or linear',
    );
  }
  if (activation !== 'softmax') return;
  const isShared = layer.inboundNodes.length > 1 || layer.outboundNodes.length > 1;
  if (isShared || source.shape.at(-1) !== classes) {
    refuse(
      `the softmax of layer "${layer.name}" is not over the classes alone, so that it cannot be left out; save the ` +
        'model with a linear output',
    );
  }
  if (isSoftmax) layer.call = (inputs) => (Array.isArray(inputs) ? (inputs as [tf.Tensor])[0] : inputs);
  else activated.activation = linear(tfjs);
}

const linear = (tfjs: TfjsLayers): Activated['activation'] =>
  (tfjs.layers.activation({ activation: 'linear' }) as unknown as Activated).activation;

/** What a tensor is before it passes through layers that do not change its values, and out of nested models. */
function sourceOf(tfjs: TfjsLayers, tensor: SymbolicTensor): SymbolicTensor {
  const { sourceLayer, inputs } = tensor;
  if (sourceLayer instanceof tfjs.LayersModel)
    return sourceOf(tfjs, sourceLayer.outputs[0] as SymbolicTensor);
  const [input] = inputs;
  return PASSING.has(sourceLayer.getClassName()) && input ? sourceOf(tfjs, input) : tensor;
}
