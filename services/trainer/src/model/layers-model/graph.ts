/** Goes through the layers of a model from its inputs to its outputs. */

import { LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OWN } from './layer-options.ts';

export type Layer = SymbolicTensor['sourceLayer'];

/** One call of a layer, of which a shared layer has several; its tensors tell their shapes. */
export interface LayerCall {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
}

/** What is known of the outputs of a layer, from what is known of its inputs. */
export type Visit<T> = (call: LayerCall, inputs: readonly T[]) => readonly T[];

/** Visits each call of each layer once, in inner models too, and answers for the model's outputs. */
export function follow<T>(model: LayersModel, inputs: readonly T[], visit: Visit<T>): readonly T[] {
  const known = new Map<unknown, readonly T[]>();
  const nodeOf = ({ sourceLayer, nodeIndex }: SymbolicTensor) => sourceLayer.inboundNodes[nodeIndex] as Node;
  const ofTensor = (tensor: SymbolicTensor): T => {
    const node = nodeOf(tensor);
    let outputs = known.get(node);
    if (outputs === undefined) {
      const { sourceLayer: layer } = tensor;
      const given = node.inputTensors.map(ofTensor);
      outputs =
        layer instanceof LayersModel
          ? follow(layer, given, visit)
          : visit({ layer, inputs: node.inputTensors, outputs: node.outputTensors }, given);
      known.set(node, outputs);
    }
    return outputs[tensor.tensorIndex] as T;
  };
  for (const [i, tensor] of model.inputs.entries()) known.set(nodeOf(tensor), [inputs[i] as T]);
  return model.outputs.map(ofTensor);
}

type Node = Layer['inboundNodes'][number];

/** The class of Keras that a layer is of. */
export const typeOf = (layer: Layer): string => {
  const name = layer.getClassName();
  return name.startsWith(OWN) ? name.slice(OWN.length) : name;
};
