/** One inner step on a mini-batch, as the ways of differentiation see it. */

import * as tf from '@tensorflow/tfjs-core';
import { gradJvp } from '../ad/jvp.ts';
import { flatten, onBackend, unflatten } from './flat.ts';
import type { Batch, LossInputs, Objective } from './objective.ts';
import type { Rows } from './optimizer.ts';
import type { LearnedValue, StepValues } from './step-values.ts';
import type { Numbers, UpdateFactory } from './update.ts';

/** What stays the same from step to step. */
export interface Training {
  readonly objective: Objective;
  readonly updates: UpdateFactory;
}

/** What a step starts from. */
export interface Step {
  readonly batch: Batch;
  /** Weights, then buffers, each `[1, p]`. */
  readonly state: readonly Rows[];
  readonly values: StepValues;
}

/** What a step leads to, in the caller's scope. */
export interface Stepped {
  /** Training loss before the update. */
  readonly loss: tf.Scalar;
  readonly state: Rows[];
}

/** θ as the tensors that the loss takes. */
export const parametersOf = (
  { parameters }: Pick<Objective, 'parameters'>,
  weights: tf.Tensor,
): tf.Tensor[] => unflatten(weights as Rows, parameters, []);

/** Loss and gradient `[1, p]`. */
export function trainingGradient({ objective }: Training, { batch, state, values }: Step) {
  const training = objective.trainingLoss(batch);
  const inputs = lossInputs(values.loss);
  const { value, grads } = tf.valueAndGrads((...parameters: tf.Tensor[]) =>
    training.value(parameters, inputs),
  )(parametersOf(objective, state[0] as Rows));
  return { loss: value, gradient: flatten(grads, 1) };
}

/** A training gradient with its derivatives. */
export interface GradientDual {
  readonly loss: tf.Scalar;
  /** `[1, p]`. */
  readonly gradient: Rows;
  /** Along c directions, `[c, p]`; null is zero. */
  readonly directions: Rows | null;
}

/**
 * The gradient and its derivatives along c directions, by one pass of forward over reverse mode (docs/method.md, section 3).
 * @param learned component k that direction k belongs to.
 * @param weights directions of θ, `[c, p]`; null is zero.
 */
export function dualGradient(
  training: Training,
  step: Step,
  learned: readonly LearnedValue[],
  weights: Rows | null,
): GradientDual {
  const { objective } = training;
  const { batch, state, values } = step;
  const inputs = directionsOf(learned, values.loss);
  if (weights === null && inputs.size === 0) {
    return { ...trainingGradient(training, step), directions: null };
  }
  const c = learned.length;
  const trainingLoss = objective.trainingLoss(batch);
  const fixed = lossInputs(values.loss);
  const names = [...inputs.keys()];
  const { value, gradients, gradientTangents } = gradJvp(
    (parameters, moving) => trainingLoss.value(parameters, { ...fixed, ...named(names, moving) }),
    parametersOf(objective, state[0] as Rows),
    weights ? unflatten(weights, objective.parameters, [c]) : objective.parameters.map(() => null),
    {
      values: names.map((name) => fixed[name] as tf.Tensor),
      tangents: [...inputs.values()].map((numbers) =>
        onBackend<tf.Rank.R2>(numbers, [c, numbers.length / c]),
      ),
    },
  );
  return { loss: value, gradient: flatten(gradients, 1), directions: flatten(gradientTangents, c) };
}

/** Directions of values along learned components, each `[c, n]` row-major: the derivative at its entry. None where all are zero. */
export function directionsOf(learned: readonly LearnedValue[], values: Numbers): Map<string, Float64Array> {
  const directions = new Map<string, Float64Array>();
  learned.forEach(({ name, index, derivative }, k) => {
    const n = values.get(name)?.length;
    if (n === undefined) return;
    const rows = directions.get(name) ?? new Float64Array(learned.length * n);
    rows[k * n + index] = derivative;
    directions.set(name, rows);
  });
  return directions;
}

/** Values of the loss's hyperparameters as tensors, each `[n]`. */
export const lossInputs = (values: Numbers): LossInputs =>
  Object.fromEntries(
    [...values].map(([name, numbers]) => [name, onBackend<tf.Rank.R1>(numbers, [numbers.length])]),
  );

/** Tensors by the names in the same order. */
export const named = (names: readonly string[], tensors: readonly tf.Tensor[]): LossInputs =>
  Object.fromEntries(names.map((name, i) => [name, tensors[i] as tf.Tensor]));

/** Keeps the new tensors beyond their scope, and disposes of the old ones. */
export function replaceKept(old: readonly (tf.Tensor | null)[], next: readonly (tf.Tensor | null)[]): void {
  for (const tensor of next) if (tensor) tf.keep(tensor);
  for (const tensor of old) if (tensor && !next.includes(tensor)) tensor.dispose();
}
