/** One inner step on a mini-batch, as the ways of differentiation see it. */

import * as tf from '@tensorflow/tfjs-core';
import { gradJvp } from '../ad/jvp.ts';
import { flatten, onBackend, unflatten } from './flat.ts';
import type { Batch, LossInputs, Objective } from './objective.ts';
import type { Rows } from './optimizer.ts';
import type { LearnedValue, StepValues } from './step-values.ts';
import type { DrawnBatch } from './tangent-examples.ts';
import type { Numbers, UpdateFactory } from './update.ts';

/** What stays the same from step to step. */
export interface Training {
  readonly objective: Objective;
  readonly updates: UpdateFactory;
}

/** Where a training gradient is taken. */
export interface StepPoint {
  readonly batch: Batch;
  /** Weights, then buffers, each `[1, p]`. */
  readonly state: readonly Rows[];
  readonly values: StepValues;
}

/** What a step starts from. */
export interface Step extends StepPoint {
  /** The examples that second derivatives are taken on; undefined is all of them. */
  readonly tangents: DrawnBatch | undefined;
}

/** Second derivatives are taken on these; null is none. */
export const tangentBatch = ({ batch, tangents }: Step): Batch | null =>
  tangents === undefined ? batch : tangents.drawn;

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

/** Where a step takes its gradient, `[1, p]`. */
export const gradientPoint = ({ updates }: Training, { state, values }: StepPoint): Rows =>
  updates(values.optimizer).gradientPoint?.apply(state) ?? (state[0] as Rows);

/** Loss and gradient `[1, p]`, where the step takes them. */
export function trainingGradient(training: Training, step: StepPoint) {
  return gradientAt(training, step, gradientPoint(training, step));
}

function gradientAt({ objective }: Training, { batch, values }: StepPoint, point: Rows) {
  const training = objective.trainingLoss(batch);
  const inputs = lossInputs(values.loss);
  const { value, grads } = tf.valueAndGrads((...parameters: tf.Tensor[]) =>
    training.value(parameters, inputs),
  )(parametersOf(objective, point));
  return { loss: value, gradient: flatten(grads, 1) };
}

/** What of a training gradient is taken without directions. */
export interface PlainPart {
  readonly loss: tf.Scalar;
  /** `[1, p]`. */
  readonly gradient: Rows;
  /** What the loss and the gradient of the drawn examples count beside it; 0 when it is whole. */
  readonly share: number;
}

/**
 * The gradient of the examples that were not drawn, so that with that of the drawn ones, which comes with their directions,
 * it makes the gradient of the batch. Where the loss is not a mean over examples it is the gradient of the batch.
 */
export function plainPart(training: Training, step: Step, { others, share }: DrawnBatch): PlainPart {
  return tf.tidy(() => {
    if (!training.objective.isMean) return { ...trainingGradient(training, step), share: 0 };
    const { loss, gradient } = trainingGradient(training, { ...step, batch: others() });
    return { loss: tf.mul<tf.Scalar>(loss, 1 - share), gradient: tf.mul<Rows>(gradient, 1 - share), share };
  });
}

/** A step of which no derivative is wanted, with its gradient `[1, p]`. */
export function plainStep(training: Training, step: StepPoint): Stepped & { readonly gradient: Rows } {
  const { loss, gradient } = trainingGradient(training, step);
  const { state, values } = step;
  return { loss, gradient, state: training.updates(values.optimizer).apply({ state, gradient }) };
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
 * The gradient and its derivatives along c directions, by one pass of forward over reverse mode (docs/method.md, section 3);
 * the derivatives on the drawn examples, if there are such.
 * @param learned component k that direction k belongs to.
 * @param directions of the state, each `[c, p]`; null is zero.
 * @param plain what is known of the gradient; always where examples are drawn.
 */
export function dualGradient(
  training: Training,
  step: Step,
  learned: readonly LearnedValue[],
  directions: readonly Rows[] | null,
  plain: PlainPart | undefined,
): GradientDual {
  const { objective } = training;
  const { values } = step;
  const batch = tangentBatch(step);
  const inputs = directionsOf(learned, values.loss);
  const { point, directions: weights } = movingPoint(training, step, learned, directions);
  if (batch === null || (weights === null && inputs.size === 0)) {
    return { ...(plain?.share === 0 ? plain : gradientAt(training, step, point)), directions: null };
  }
  const c = learned.length;
  const trainingLoss = objective.trainingLoss(batch);
  const fixed = lossInputs(values.loss);
  const names = [...inputs.keys()];
  const { value, gradients, gradientTangents } = gradJvp(
    (parameters, moving) => trainingLoss.value(parameters, { ...fixed, ...named(names, moving) }),
    parametersOf(objective, point),
    weights ? unflatten(weights, objective.parameters, [c]) : objective.parameters.map(() => null),
    {
      values: names.map((name) => fixed[name] as tf.Tensor),
      tangents: [...inputs.values()].map((numbers) =>
        onBackend<tf.Rank.R2>(numbers, [c, numbers.length / c]),
      ),
    },
  );
  const own = { loss: value, gradient: flatten(gradients, 1) };
  return { ...(plain ? completed(plain, own) : own), directions: flatten(gradientTangents, c) };
}

/** Loss and gradient of the batch. @param own those of the drawn examples. */
function completed({ loss, gradient, share }: PlainPart, own: Pick<GradientDual, 'loss' | 'gradient'>) {
  if (share === 0) return { loss, gradient };
  return {
    loss: tf.add(loss, tf.mul(own.loss, share)) as tf.Scalar,
    gradient: tf.add(gradient, tf.mul(own.gradient, share)) as Rows,
  };
}

/** Where a step takes its gradient, and the derivatives of that, `[c, p]`; null is zero. */
function movingPoint(
  training: Training,
  { state, values }: Step,
  learned: readonly LearnedValue[],
  directions: readonly Rows[] | null,
): { readonly point: Rows; readonly directions: Rows | null } {
  const map = training.updates(values.optimizer).gradientPoint;
  if (map === undefined) return { point: state[0] as Rows, directions: directions?.[0] ?? null };
  const ofValues = directionsOf(learned, values.optimizer);
  if (directions === null && ofValues.size === 0) return { point: map.apply(state), directions: null };
  return map.pushforward(state, { count: learned.length, state: directions, values: ofValues });
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
