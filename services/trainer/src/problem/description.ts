/** What there is to know of a module without loading it: made in a process of its own (`worker/describe.ts`). */

import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { gradJvp } from '../ad/jvp.ts';
import type { HyperparameterInfo } from '../inner/hyperparameter.ts';
import type { Objective } from '../inner/objective.ts';
import type { ModelParameter } from '../model/model.ts';
import { buildProblem, rowsOf } from './built.ts';
import { batchesOf } from './data.ts';
import type { ProblemDefinition } from './define.ts';
import { loadModule } from './load.ts';
import { hyperparametersOf, objectiveOf, parametersOf } from './objective.ts';

export interface ModuleDescription {
  readonly id: string;
  /** For people. */
  readonly description: string;
  /** JSON Schema of its options, as JSON. */
  readonly optionsSchema: string;
  /** With these options: */
  readonly parameters: readonly ModelParameter[];
  readonly hyperparameters: readonly HyperparameterInfo[];
  /** Undefined where a function makes the batches. */
  readonly trainExamples: number | undefined;
  readonly validationExamples: number;
  readonly testExamples: number;
}

/** Examples of a batch that derivatives are tried on. */
const TRIED = 16;

/**
 * Loads a module, makes its problem, and takes the derivatives that training will take, on the tfjs backend in use.
 * @throws OptionsError, ProblemError, and whatever the module throws.
 */
export async function describeModule(
  folder: string,
  id: string,
  options: unknown,
): Promise<ModuleDescription> {
  const { definition } = await loadModule(folder, id);
  const problem = await buildProblem(definition, options, 0);
  const { train, validation, test } = problem;
  const trainExamples = typeof train === 'function' ? undefined : rowsOf('train', train);
  const batchSize = Math.min(TRIED, trainExamples ?? TRIED);
  tf.tidy(() =>
    tryDerivatives(objectiveOf(id, problem), Object.values(problem.parameters), {
      train: batchesOf(problem, { batchSize, seed: 0 })(0),
      validation,
      test,
    }),
  );
  return {
    id,
    description: String(definition.description ?? ''),
    optionsSchema: schemaOf(definition),
    parameters: parametersOf(problem),
    hyperparameters: hyperparametersOf(problem),
    trainExamples,
    validationExamples: rowsOf('validation', validation),
    testExamples: rowsOf('test', test),
  };
}

/** What JSON Schema cannot say, as a transformation, it leaves open. */
const schemaOf = ({ options }: ProblemDefinition): string =>
  JSON.stringify(z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }));

function tryDerivatives(
  objective: Objective,
  weights: readonly tf.Tensor[],
  {
    train,
    validation,
    test,
  }: Readonly<Record<'train' | 'validation' | 'test', Readonly<Record<string, tf.Tensor>>>>,
): void {
  const names = objective.hyperparameters.map(({ name }) => name);
  const values = objective.hyperparameters.map(({ size = 1, defaultValue = 0 }) =>
    tf.fill([size], defaultValue),
  );
  const loss = objective.trainingLoss(train);
  gradJvp(
    (parameters, inputs) =>
      loss.value(parameters, Object.fromEntries(names.map((name, i) => [name, inputs[i] as tf.Tensor]))),
    [...weights],
    weights.map((tensor) => tf.expandDims(tf.onesLike(tensor), 0)),
    { values, tangents: values.map((tensor) => tf.expandDims(tf.onesLike(tensor), 0)) },
  );
  for (const { loss: validationLoss } of objective.validation(validation, weights)) {
    tf.grads((...parameters: tf.Tensor[]) => validationLoss(parameters))([...weights]);
  }
  objective.figures(test, weights);
}
