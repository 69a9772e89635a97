/** What hypergradients make a trial cost, predicted, in plain steps and plain runs (docs/method.md, section 12.3). */

import { predictCost, type WindowShape } from './cost.ts';

/**
 * What a pass through a built-in model costs whatever its examples (calls of kernels, the optimizer's update), in the work of a
 * gradient on one example: small models are mostly calls, large ones hardly at all.
 */
const PASSES: Readonly<Record<string, number>> = {
  logistic: 2_500,
  mlp: 1_000,
  lenet: 160,
  'wide-resnet-16-2': 10,
  'wide-resnet-28-2': 10,
};
/** A model that was not measured is taken to be like LeNet. */
const PASS = 160;
/** The work of a directional derivative of a gradient, in that of the gradient on the same examples. */
const DIRECTION = 1.73;
/** Its calls, in those of a pass. */
const CALLS_OF_DIRECTION = 0.25;

/** A window of a trial, and the examples that it is about. */
export interface CostlyWindow extends Omit<WindowShape, 'share'> {
  /** Id of the model; empty for a module. */
  readonly model: string;
  readonly isReverse: boolean;
  /** Of a mini-batch, B. */
  readonly batchSize: number;
  /** On which second derivatives are taken, at most B. */
  readonly tangentExamples: number;
  /** On which each validation gradient is taken. */
  readonly validationExamples: number;
}

/** What a window costs beyond its plain steps, in plain steps. */
export function windowCost(shape: CostlyWindow): number {
  const { window, hypergradients, stride = 1, reverseSteps, isReverse, batchSize, tangentExamples } = shape;
  if (hypergradients === 0) return 0;
  const pass = PASSES[shape.model] ?? PASS;
  const { forward, reverse } = predictCost(shape);
  // Section 4 counts a direction as two gradients.
  const directions = (isReverse ? reverse : forward) / 2;
  const steps = isReverse ? Math.min(window, (hypergradients - 1) * stride + reverseSteps) : window;
  // The pass with directions, and one for the rest of the batch.
  const passes = steps * (tangentExamples < batchSize ? 2 : 1);
  const derivatives =
    (passes + CALLS_OF_DIRECTION * directions) * pass + DIRECTION * directions * tangentExamples;
  const validation = hypergradients * (pass + shape.validationExamples);
  return (derivatives + validation) / (pass + batchSize);
}

/**
 * What a trial costs in plain runs: trainings of as many steps that take no hypergradients.
 * @param windows what all its windows cost, in plain steps.
 */
export const trialCost = (steps: number, windows: number): number => 1 + windows / steps;
