/**
 * The loss that inner training minimises: cross-entropy with smoothed labels, weighted by class and by a meta-module, and a
 * penalty on the weights. All of it can be learned. (Validation and metrics use the plain cross-entropy of `loss.ts`.)
 */

import * as tf from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '../ad/ops/softmax-cross-entropy.ts';
import type { Model } from '../model/model.ts';
import { type HyperparameterInfo, layersOf } from './hyperparameter.ts';
import { type Examples, oneHot } from './loss.ts';
import type { ApartLoss, BatchLoss, LossInputs } from './objective.ts';
import { exampleWeights, type Reweighting } from './reweighting.ts';
import { REWEIGHTING } from './reweighting-size.ts';

/** What the loss has beside its numbers. */
export interface LossOptions {
  /** Weighs examples by their losses; without it all count alike. */
  readonly reweighting?: Reweighting;
  /** Share of the examples that are trained on that each class has, adding up to 1. @default the same for all */
  readonly classShares?: readonly number[] | undefined;
}

/** Largest size of a weight of the meta-module: far beyond what its sigmoid can tell apart. */
const NETWORK_BOUND = 1000;

const INFOS: readonly HyperparameterInfo[] = [
  {
    name: 'labelSmoothing',
    description: 'Share of the label that is spread evenly over all classes',
    min: 0,
    max: 1,
    defaultValue: 0,
    groupings: ['none'],
  },
  {
    name: 'classWeights',
    description: 'Factor of the loss of each class; the mean is over examples, not over weights',
    min: 0,
    max: 1000,
    defaultValue: 1,
    groupings: ['class'],
  },
  {
    name: 'relativeClassWeights',
    description:
      'Factor of the loss of each class, over the mean of the factors of all examples that are trained on: their common scale counts for nothing',
    min: 1e-6,
    max: 1000,
    defaultValue: 1,
    groupings: ['class'],
  },
  {
    name: 'l2',
    description: 'Penalty ½·l2·‖θ‖² on the weights, of the model or of each layer',
    min: 0,
    max: 10,
    defaultValue: 0,
    groupings: ['none', 'layer'],
  },
];

/** The hyperparameters of the loss. The meta-module, if there is one, has no groupings: its values are its weights. */
export function lossHyperparameters({ reweighting }: LossOptions): readonly HyperparameterInfo[] {
  if (reweighting === undefined) return INFOS;
  const network: HyperparameterInfo = {
    name: REWEIGHTING,
    description: `Weights of the network 1 → ${reweighting.hidden} → 1 that weighs each example by its loss`,
    min: -NETWORK_BOUND,
    max: NETWORK_BOUND,
    groupings: [],
  };
  return [...INFOS, network];
}

/** The training loss of a mini-batch, as a function of weights and hyperparameters. Made and used in one scope. */
export class TrainingLoss implements BatchLoss {
  readonly #model: Model;
  readonly #options: LossOptions;
  readonly #x: tf.Tensor;
  /** `[n, classes]`. */
  readonly #targets: tf.Tensor2D;

  constructor(model: Model, { x, labels }: Examples, options: LossOptions) {
    this.#model = model;
    this.#options = options;
    this.#x = x;
    this.#targets = oneHot(labels, model.classes);
  }

  /**
   * ℓ = 1/n Σ_i v_{c_i} · r_{c_i} / r̄ · w(l_i) · l_i + ½ Σ_layer l2 ‖θ_layer‖², with the cross-entropies l, class weights v, relative
   * ones r, whose mean r̄ is over all examples that are trained on, and the meta-module w, which counts as a constant when detached.
   * @param probe `[n]`: adds Σ_i probe_i l_i. Its gradient is l, and l's directional derivatives are that gradient's.
   */
  value(parameters: readonly tf.Tensor[], inputs: LossInputs, probe?: tf.Tensor): tf.Scalar {
    const losses = this.#losses(parameters, inputs);
    const weights = this.weights(losses, inputs, this.#options.reweighting?.detached);
    const terms = [
      tf.mean(weights ? tf.mul(weights, losses) : losses),
      inputs.l2 && this.#penalty(parameters, inputs.l2),
      probe && tf.sum(tf.mul(probe, losses)),
    ];
    return terms.reduce((sum, term) => (sum && term ? tf.add(sum, term) : (sum ?? term))) as tf.Scalar;
  }

  get apart(): ApartLoss | undefined {
    if (this.#options.reweighting?.detached !== true) return undefined;
    return {
      examples: this.#targets.shape[0],
      names: [REWEIGHTING, 'classWeights', 'relativeClassWeights'],
      weights: (losses, inputs) => this.weights(losses, inputs) as tf.Tensor,
    };
  }

  /** v_{c_i} · r_{c_i} / r̄ · w(l_i), `[n]`; undefined when all are 1. */
  weights(losses: tf.Tensor, inputs: LossInputs, detached = false): tf.Tensor | undefined {
    const { [REWEIGHTING]: network } = inputs;
    const factors = this.#classFactors(inputs);
    const ofClass = factors && tf.reshape(tf.matMul(this.#targets, tf.reshape(factors, [-1, 1])), [-1]);
    const weigh = (of: tf.Tensor): tf.Tensor => exampleWeights(network as tf.Tensor, of);
    const ofExample = network && (detached ? withoutGradient(weigh, losses) : weigh(losses));
    return ofClass && ofExample ? tf.mul(ofClass, ofExample) : (ofClass ?? ofExample);
  }

  /** v · r / r̄, `[classes]`; undefined when all are 1. */
  #classFactors({ classWeights, relativeClassWeights }: LossInputs): tf.Tensor | undefined {
    if (relativeClassWeights === undefined) return classWeights;
    const { classShares } = this.#options;
    const mean = classShares
      ? tf.sum(tf.mul(relativeClassWeights, tf.tensor1d([...classShares])))
      : tf.mean(relativeClassWeights);
    const relative = tf.div(relativeClassWeights, mean);
    return classWeights ? tf.mul(classWeights, relative) : relative;
  }

  #losses(parameters: readonly tf.Tensor[], { labelSmoothing }: LossInputs): tf.Tensor1D {
    const logits = this.#model.apply(parameters, this.#x);
    if (labelSmoothing === undefined) return softmaxCrossEntropy(logits, this.#targets);
    const share = tf.reshape(labelSmoothing, []);
    const smooth = tf.add(tf.mul(tf.sub(1, share), this.#targets), tf.div(share, this.#model.classes));
    return softmaxCrossEntropy(logits, smooth as tf.Tensor2D);
  }

  /** @param l2 `[1]`, or one for each layer. */
  #penalty(parameters: readonly tf.Tensor[], l2: tf.Tensor): tf.Tensor {
    const squares = parameters.map((parameter) => tf.sum(tf.square(parameter)));
    if (l2.size === 1) return tf.mul(tf.reshape(tf.mul(l2, 0.5), []), tf.addN(squares));
    let next = 0;
    const ofLayers = layersOf(this.#model).map((layer) => {
      const parts = squares.slice(next, next + layer.parameters);
      next += layer.parameters;
      return tf.addN(parts);
    });
    return tf.mul(0.5, tf.sum(tf.mul(l2, tf.stack(ofLayers))));
  }
}

/** f(x) of x's shape, through which no gradient flows back; directional derivatives do flow forward. */
function withoutGradient(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): tf.Tensor {
  const constant = tf.customGrad((input) => ({
    value: f(input as tf.Tensor),
    gradFunc: (dy) => tf.zerosLike(dy),
  }));
  return constant(x);
}
