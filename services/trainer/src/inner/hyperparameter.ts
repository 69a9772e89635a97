/** What hyperparameters are to inner training: names, domains, and how many values each may have. */

import { type ModelParameter, sizeOf } from '../model/model.ts';

/** How far one value of a hyperparameter reaches: over all weights, one layer of the model, or one class. */
export type Grouping = 'none' | 'layer' | 'class';

/** A hyperparameter of an inner optimizer or of the training loss. */
export interface HyperparameterInfo {
  /** The name that a search space uses. */
  readonly name: string;
  /** For people. */
  readonly description: string;
  /** Smallest value of its domain. */
  readonly min: number;
  /** Largest value of its domain. */
  readonly max: number;
  /** Value, of every group, where none is given; without one it must be given. */
  readonly defaultValue?: number;
  /** How its values may be grouped. None: the weights of a network, as many as it has. */
  readonly groupings: readonly Grouping[];
  /** Number of its values, where that is its own and it has no groupings. */
  readonly size?: number;
  /** Whether it stays as it is through a training, and is not learned: no derivative by it is known. */
  readonly isSetting?: true;
}

/** One entry of a hyperparameter that hypergradients are wanted of. */
export interface LearnedComponent {
  readonly name: string;
  /** Which of the hyperparameter's values; 0 where it has one. */
  readonly index: number;
}

/** Values by name: one number, or one for each group or network weight. One that is not given has its default. */
export type HyperparameterValues = Readonly<Record<string, ArrayLike<number>>>;

/** A layer: neighbouring weights of a model. */
export interface Layer {
  readonly name: string;
  /** How many of the model's parameters belong to it; they follow those of the layer before. */
  readonly parameters: number;
  /** Number of weights. */
  readonly size: number;
}

type Parameters = { readonly parameters: readonly ModelParameter[] };

/** The layers in their order. Neighbours belong together when their names have the same part before the last "/". */
export function layersOf({ parameters }: Parameters): Layer[] {
  const layers: { name: string; parameters: number; size: number }[] = [];
  for (const { name, shape } of parameters) {
    const layer = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : name;
    const last = layers.at(-1);
    if (last?.name === layer) {
      last.parameters += 1;
      last.size += sizeOf(shape);
    } else {
      layers.push({ name: layer, parameters: 1, size: sizeOf(shape) });
    }
  }
  return layers;
}

/** Names of a model's layers: the groups of the grouping "layer", in their order. */
export const layerNames = (model: Parameters): string[] => layersOf(model).map(({ name }) => name);
