/** Second derivatives on a part of each mini-batch (docs/method.md, section 12). */

import { Estimator, type Method, type SearchSpace } from '@glocal/proto/glocal/v1/study';
import type { Checker } from './checker.ts';
import type { ProblemVariant } from './problems.ts';

/** Checks how many examples they are taken on, for the problem of some trials. */
export function checkTangentExamples(
  { estimator, tangentExamples }: Pick<Method, 'estimator' | 'tangentExamples'>,
  space: SearchSpace,
  { problem: { batchSize }, optimizer }: Pick<ProblemVariant, 'problem' | 'optimizer'>,
  check: Checker,
): void {
  if (tangentExamples === undefined) return;
  const field = 'method.tangent_examples';
  check.require(
    tangentExamples >= 0 && (batchSize < 1 || tangentExamples <= batchSize),
    field,
    `${tangentExamples} is not a number of examples from 0 to problem.batch_size = ${batchSize}`,
  );
  if (tangentExamples !== 0 || estimator === Estimator.FIXED || optimizer === undefined) return;
  const ofLoss = space.parameters.find(
    ({ name, kind }) =>
      kind?.$case === 'network' ||
      (kind?.$case === 'float' && optimizer.hyperparameters.every((info) => info.name !== name)),
  );
  check.require(
    ofLoss === undefined,
    field,
    `0 leaves out second derivatives, and ${ofLoss?.name}, which is of the loss, acts through them alone`,
  );
}
