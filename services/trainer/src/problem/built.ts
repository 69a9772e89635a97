/** Makes a module's problem, and checks that what it gives is what it should be. */

import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { listOptimizers } from '../inner/registry.ts';
import { quote } from '../resource/quote.ts';
import type { BuiltProblem, ProblemDefinition, Tensors } from './define.ts';
import { OptionsError, ProblemError } from './errors.ts';

/** As for the hyperparameters of a study. */
const NAME = /^[A-Za-z0-9._-]{1,63}$/;
const MAX_COMPONENTS = 10_000_000;

const hyperparameter = z
  .strictObject({
    description: z.string().default(''),
    min: z.number(),
    max: z.number(),
    default: z.number(),
    size: z.int().min(1).max(MAX_COMPONENTS).optional(),
  })
  .refine(({ min, max }) => min < max, 'min is not below max')
  .refine(
    ({ min, max, default: usual }) => usual >= min && usual <= max,
    'the default is outside min and max',
  );

const hyperparameters = z.record(z.string(), hyperparameter);

/** A problem whose parts have been looked at. */
export type CheckedProblem = Omit<BuiltProblem, 'hyperparameters' | 'test'> & {
  readonly hyperparameters: z.output<typeof hyperparameters>;
  readonly test: Tensors;
};

/**
 * @param options of the study.
 * @throws OptionsError when they do not fit; ProblemError naming the part that is wrong; and whatever the module throws.
 */
export async function buildProblem(
  definition: ProblemDefinition,
  options: unknown,
  seed: number,
): Promise<CheckedProblem> {
  const parsed = definition.options.safeParse(options);
  if (!parsed.success) throw new OptionsError(issues(parsed.error));
  const built = await definition.build({ options: parsed.data, seed });
  const own = hyperparameters.safeParse(built.hyperparameters ?? {});
  if (!own.success) throw new ProblemError(`hyperparameters: ${issues(own.error)}`);
  checkNames(Object.keys(own.data));
  checkTensors('parameters', built.parameters);
  for (const [name, { dtype, size }] of Object.entries(built.parameters)) {
    if (dtype !== 'float32' || size === 0) {
      throw new ProblemError(
        `parameters: ${quote(name)} is ${dtype} of ${size} numbers; expected float32, one or more`,
      );
    }
  }
  const { validation, test = validation, train } = built;
  for (const [part, examples] of Object.entries({ validation, test })) rowsOf(part, examples);
  if (typeof train !== 'function') rowsOf('train', train);
  for (const name of ['loss', 'validationLoss'] as const) {
    if (typeof built[name] !== 'function') throw new ProblemError(`${name} is not a function`);
  }
  return { ...built, validation, test, hyperparameters: own.data };
}

/**
 * Number of examples: the first axis of every tensor.
 * @throws ProblemError when they differ.
 */
export function rowsOf(part: string, examples: Tensors): number {
  checkTensors(part, examples);
  const rows = Object.entries(examples).map(([name, { shape }]) => [name, shape[0] ?? 0] as const);
  const [first] = rows;
  const other = rows.find(([, count]) => count !== first?.[1] || count === 0);
  if (other !== undefined) {
    throw new ProblemError(
      `${part}: ${quote(other[0])} has ${other[1]} rows and ${quote(first?.[0] ?? '')} ${first?.[1]}; expected a row for each example, one or more`,
    );
  }
  return first?.[1] ?? 0;
}

/** @throws ProblemError */
export function checkTensors(part: string, tensors: unknown): asserts tensors is Tensors {
  const entries = Object.entries(typeof tensors === 'object' ? (tensors ?? {}) : {});
  const other = entries.find(([, value]) => !(value instanceof tf.Tensor));
  if (entries.length > 0 && other === undefined) return;
  const what =
    other === undefined ? 'has no tensors' : `${quote(other[0])} is not a tensor of this trainer's tfjs`;
  throw new ProblemError(`${part}: ${what}; expected an object of tensors by name`);
}

function checkNames(names: readonly string[]): void {
  const misnomer = names.find((name) => !NAME.test(name));
  if (misnomer !== undefined) {
    throw new ProblemError(
      `hyperparameters: ${quote(misnomer)} is not 1 to 63 ASCII letters, digits, dots, dashes and underscores`,
    );
  }
  for (const { id, hyperparameters: taken } of listOptimizers()) {
    const name = names.find((own) => taken.some((theirs) => theirs.name === own));
    if (name !== undefined) {
      throw new ProblemError(`hyperparameters: the optimizer ${id} has one called ${name}; rename yours`);
    }
  }
}

const issues = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
