/** What a study would hold in memory: components, the window that is kept with each outer step, what derivatives need. */

import {
  Differentiation,
  Estimator,
  Grouping,
  type Method,
  type Problem,
  type SearchSpace,
} from '@glocal/proto/glocal/v1/study';
import type { Limits } from '@glocal/proto/glocal/v1/study_service';
import { chooseDifferentiation, hypergradientsOf, stepsKept } from '../../hyper/differentiation.ts';
import { networkSize } from '../../inner/reweighting-size.ts';
import { MAX_MESSAGE_BYTES } from '../../resource/message-size.ts';
import type { Checker } from './checker.ts';
import type { MethodWithoutRate } from './method.ts';
import type { ProblemVariant } from './problems.ts';

/** Bytes of a window's rows: it is stored with its outer step as one record. */
const MAX_WINDOW_BYTES = 256 * 2 ** 20;
/** Values of a space: a client is told all of them in one message, which has names and more besides. */
export const MAX_COMPONENTS = Math.floor((MAX_MESSAGE_BYTES * 0.9) / 8);
/** Numbers of a tensor, which kernels count in 32 bits. */
const MAX_TENSOR = 2 ** 31 - 1;
/** Bytes of the steps that reverse mode keeps: more than any machine that trains has to spare. */
const MAX_TRAJECTORY_BYTES = 64 * 2 ** 30;

/** Checks a complete space and method for a problem that is known. */
export function checkSize(
  { problem, components, weights }: SizedProblem,
  method: MethodWithoutRate,
  limits: Pick<Limits, 'maxComponents'>,
  check: Checker,
): void {
  checkWindow(components, method, limits, check);
  checkDerivatives({ method, problem }, components, weights, check);
}

/** The problem of some trials with its numbers. */
export interface SizedProblem {
  readonly problem: Problem;
  readonly layers: number;
  readonly classes: number;
  /** Of the model. */
  readonly weights: number;
  /** Components of a hypergradient, q. */
  readonly components: number;
}

/** Undefined while data set or model are not known. */
export function sizedProblem(
  space: SearchSpace,
  { dataset, model, problem }: ProblemVariant,
): SizedProblem | undefined {
  if (dataset === undefined || model === undefined) return undefined;
  const groups = { ...model.size(dataset), classes: dataset.classes };
  return { problem, ...groups, components: countComponents(space, groups) };
}

/** Checks the rows of a window, whoever computes them. */
export function checkWindow(
  components: number,
  method: Pick<Method, 'estimator' | 'sigma'>,
  { maxComponents }: Pick<Limits, 'maxComponents'>,
  check: Checker,
): void {
  if (method.estimator === Estimator.GLOCAL && maxComponents > 0) {
    check.require(
      components <= maxComponents,
      'space',
      `has ${components} components; the DMD service takes at most ${maxComponents}`,
    );
  }
  const most = Math.floor(MAX_WINDOW_BYTES / (8 * Math.max(1, components)));
  check.require(
    hypergradientsOf(method) <= most,
    'method.sigma',
    `${method.sigma} hypergradients of ${components} components are more than the ${MAX_WINDOW_BYTES} bytes that a window may have; at most ${most}`,
  );
}

function checkDerivatives(
  { method, problem }: { readonly method: MethodWithoutRate; readonly problem: Problem },
  components: number,
  weights: number,
  check: Checker,
): void {
  const chosen = chooseDifferentiation({ method, problem }, components);
  if (chosen?.used === Differentiation.FORWARD) {
    check.require(
      (1 + components) * weights <= MAX_TENSOR,
      'space',
      `has ${components} components, whose derivatives of ${weights} weights are more than the ${MAX_TENSOR} numbers that forward mode can hold`,
    );
  }
  if (chosen?.used === Differentiation.REVERSE) {
    const steps = stepsKept(method);
    // Weights and gradient of each step, in 32 bits; the optimizer's buffers and the batch come on top.
    const most = Math.floor(MAX_TRAJECTORY_BYTES / (2 * 4 * Math.max(1, weights)));
    check.require(
      steps <= most,
      'method.reverse_steps',
      `${method.reverseSteps} makes reverse mode keep ${steps} steps of ${weights} weights; there is room for ${most}`,
    );
  }
}

/** q of a complete space. */
function countComponents(
  { parameters }: SearchSpace,
  groups: { readonly layers: number; readonly classes: number },
): number {
  return parameters.reduce((sum, { kind }) => {
    if (kind?.$case === 'network') return sum + networkSize({ hidden: kind.value.hiddenUnits });
    if (kind?.$case !== 'float') return sum;
    if (kind.value.size > 0) return sum + kind.value.size;
    switch (kind.value.grouping) {
      case Grouping.LAYER:
        return sum + groups.layers;
      case Grouping.CLASS:
        return sum + groups.classes;
      default:
        return sum + 1;
    }
  }, 0);
}
