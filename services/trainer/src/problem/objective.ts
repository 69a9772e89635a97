/** A module's problem as inner training takes it. */

import * as tf from '@tensorflow/tfjs-core';
import type { HyperparameterInfo } from '../inner/hyperparameter.ts';
import type { Batch, LossInputs, Objective } from '../inner/objective.ts';
import type { ModelParameter } from '../model/model.ts';
import { type CheckedProblem, checkTensors } from './built.ts';
import type { Tensors } from './define.ts';
import { ProblemError } from './errors.ts';

/** @param id for messages. */
export function objectiveOf(id: string, problem: CheckedProblem): Objective {
  const parameters = parametersOf(problem);
  const infos = hyperparametersOf(problem);
  const names = parameters.map(({ name }) => name);
  const byName = (weights: readonly tf.Tensor[]): Tensors =>
    Object.fromEntries(names.map((name, i) => [name, weights[i] as tf.Tensor]));
  const validationLoss = (weights: readonly tf.Tensor[], batch: Batch) =>
    scalar('validationLoss', problem.validationLoss(byName(weights), batch));
  return {
    ...{ id, parameters, hyperparameters: infos, classes: 0, networkSize: 0 },
    // Nobody knows what it makes of a batch.
    isMean: false,
    check: (batch) => checkTensors('a batch', batch),
    trainingLoss: (batch) => ({
      value: (weights, inputs) =>
        scalar('loss', problem.loss(byName(weights), batch, completed(infos, inputs))),
    }),
    validation: (batch) => [{ share: 1, loss: (weights) => validationLoss(weights, batch) }],
    figures: (batch, weights) => {
      const [loss, accuracy] = tf
        .tidy(() => [
          validationLoss(weights, batch),
          problem.accuracy
            ? scalar('accuracy', problem.accuracy(byName(weights), batch))
            : tf.scalar(Number.NaN),
        ])
        .map(numberOf) as [number, number];
      return { loss, accuracy, examples: Object.values(batch)[0]?.shape[0] ?? 0 };
    },
  };
}

/** The weights in their order. */
export const parametersOf = ({ parameters }: Pick<CheckedProblem, 'parameters'>): ModelParameter[] =>
  Object.entries(parameters).map(([name, { shape }]) => ({ name, shape }));

export const hyperparametersOf = ({
  hyperparameters,
}: Pick<CheckedProblem, 'hyperparameters'>): HyperparameterInfo[] =>
  Object.entries(hyperparameters).map(([name, { description, min, max, default: defaultValue, size }]) => ({
    ...{ name, description, min, max, defaultValue, groupings: ['none'] },
    ...(size !== undefined && { size }),
  }));

/** θ to start from, `[p]`. */
export function initialWeights({ parameters }: Pick<CheckedProblem, 'parameters'>): Float32Array {
  const all = tf.tidy(() => tf.concat(Object.values(parameters).map((tensor) => tf.reshape(tensor, [-1]))));
  const weights = all.dataSync<'float32'>().slice();
  all.dispose();
  return weights;
}

/** What the user's loss is given: of a single value a scalar, of what is left out its default. */
function completed(infos: readonly HyperparameterInfo[], inputs: LossInputs): Tensors {
  return Object.fromEntries(
    infos.map(({ name, size, defaultValue = 0 }) => {
      const values = inputs[name] ?? tf.fill([size ?? 1], defaultValue);
      return [name, size === undefined ? tf.reshape(values, []) : values];
    }),
  );
}

function scalar(what: string, value: unknown): tf.Scalar {
  if (!(value instanceof tf.Tensor)) throw new ProblemError(`${what} returned no tensor; expected a scalar`);
  if (value.rank !== 0) {
    throw new ProblemError(
      `${what} returned a tensor of shape [${value.shape}]; expected a scalar: take the mean`,
    );
  }
  return tf.cast(value, 'float32') as tf.Scalar;
}

function numberOf(tensor: tf.Tensor): number {
  const [value = Number.NaN] = tensor.dataSync();
  tensor.dispose();
  return value;
}
