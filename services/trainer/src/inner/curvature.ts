/** Second derivatives of the training loss along adjoints, for reverse mode (docs/method.md, section 4). */

import * as tf from '@tensorflow/tfjs-core';
import { gradJvp } from '../ad/jvp.ts';
import { flatten, unflatten } from './flat.ts';
import type { ApartLoss, LossInputs } from './objective.ts';
import type { Rows } from './optimizer.ts';
import { gradientPoint, lossInputs, named, parametersOf, type StepPoint, type Training } from './step.ts';

/** With g the training gradient that a step takes at θ and u the m directions: */
export interface Curvature {
  /** (∂g/∂θ)ᵀu, `[m, p]`, in the caller's scope. */
  readonly byWeights: Rows;
  /** (∂g/∂v)ᵀu for the values v of each wanted hyperparameter of the loss, `[m, n]` row-major. */
  readonly byValues: ReadonlyMap<string, Float64Array>;
}

/**
 * By one `gradJvp` of the loss by θ and the wanted hyperparameters together, with the directions u on θ: about 1 + 2m
 * gradients.
 *
 * The gradient of a loss has a symmetric Jacobian, so that its forward derivative along u is the adjoint. Detached example
 * weights w(l_i) make g = 1/n Σ_i v_i w(l_i) ∇l_i, which is not the gradient of a loss, but ∂g/∂θ = 1/n Σ_i v_i (w ∇²l_i + w' ∇l_i ∇l_iᵀ)
 * is symmetric all the same. By the meta-module's weights and the class weights v, (∂g/∂·)ᵀu is the gradient of
 * 1/n Σ_i v_i w(l_i) c_i, where c_i = ∇l_i · u and l_i are constants.
 */
export function curvature(
  training: Training,
  step: StepPoint,
  wanted: readonly string[],
  directions: Rows,
): Curvature {
  const { objective } = training;
  const [m] = directions.shape;
  const loss = objective.trainingLoss(step.batch);
  const inputs = lossInputs(step.values.loss);
  const isApart = (name: string) => loss.apart?.names.includes(name) === true;
  const together = wanted.filter((name) => !isApart(name));
  const apart = wanted.filter(isApart);

  const weights = parametersOf(objective, gradientPoint(training, step));
  const count = weights.length;
  const probe = loss.apart && apart.length > 0 ? [tf.zeros([loss.apart.examples])] : [];
  const values = together.map((name) => inputs[name] as tf.Tensor);
  const { gradients, gradientTangents } = gradJvp(
    (tensors) => {
      const moving = named(together, tensors.slice(count));
      const probed = probe.length > 0 ? tensors.at(-1) : undefined;
      return loss.value(tensors.slice(0, count), { ...inputs, ...moving }, probed);
    },
    [...weights, ...values, ...probe],
    [
      ...unflatten(directions, objective.parameters, [m]),
      ...values.map(() => null),
      ...probe.map(() => null),
    ],
  );
  const byValues = together.map((name, i) => [name, gradientTangents[count + i] as tf.Tensor] as const);
  if (loss.apart && probe.length > 0) {
    const losses = gradients.at(-1) as tf.Tensor;
    const along = gradientTangents.at(-1) as tf.Tensor;
    byValues.push(...apartFrom(loss.apart, inputs, apart, losses, along));
  }
  return {
    byWeights: flatten(gradientTangents.slice(0, count), m),
    byValues: new Map(byValues.map(([name, rows]) => [name, Float64Array.from(rows.dataSync())])),
  };
}

/**
 * Gradients of 1/n Σ_i v_i w(l_i) c_i for m vectors c at once: the sum is linear in c, so that they are the derivatives along
 * c of its gradient.
 * @param losses l, `[n]`.
 * @param along c, `[m, n]`.
 */
function apartFrom(
  loss: ApartLoss,
  inputs: LossInputs,
  names: readonly string[],
  losses: tf.Tensor,
  along: tf.Tensor,
): (readonly [string, tf.Tensor])[] {
  const { gradientTangents } = gradJvp(
    (tensors, [factor]) => {
      const weights = loss.weights(losses, { ...inputs, ...named(names, tensors) });
      return tf.mean(tf.mul(factor as tf.Tensor, weights));
    },
    names.map((name) => inputs[name] as tf.Tensor),
    names.map(() => null),
    { values: [tf.zerosLike(losses)], tangents: [along] },
  );
  return names.map((name, i) => [name, gradientTangents[i] as tf.Tensor]);
}
