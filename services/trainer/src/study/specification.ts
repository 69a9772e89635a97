/** Checks a study and fills its defaults in, before anything trains. Pure: the catalogue and the limits come in. */

import { type Study, StudyState } from '@glocal/proto/glocal/v1/study';
import type { Limits } from '@glocal/proto/glocal/v1/study_service';
import type { FieldViolation } from '../api/errors.ts';
import type { Catalogue } from './catalogue.ts';
import { Checker } from './specification/checker.ts';
import { completeMethod, withOuterRate } from './specification/method.ts';
import { completeProblem } from './specification/problem.ts';
import { completeSpace } from './specification/space.ts';
import { completeTraining } from './specification/training.ts';

/**
 * Checks what a caller asked for.
 * @returns the study with every default filled in, and one violation per problem (paths in proto names; `space.lr.min`
 *   for the parameter named `lr`). The study is only meaningful without violations.
 */
export function completeStudy(
  requested: Study,
  catalogue: Catalogue,
  limits: Limits,
): { study: Study; violations: readonly FieldViolation[] } {
  const check = new Checker();
  check.require(requested.displayName.length <= 200, 'display_name', 'is longer than 200 characters');
  const { problem, resolved } = completeProblem(requested.problem, catalogue, check);
  const method = completeMethod(requested.method, { steps: requested.training?.steps ?? 0 }, problem, check);
  const training = completeTraining(requested.training, method, limits, check);
  const { lossHyperparameters } = catalogue;
  const space = completeSpace(
    requested.space,
    resolved.optimizer,
    lossHyperparameters,
    method.estimator,
    check,
  );
  const study: Study = {
    name: '',
    displayName: requested.displayName,
    space,
    problem,
    training,
    method: withOuterRate(method, training),
    state: StudyState.ACTIVE,
    stateReason: '',
    createTime: undefined,
    updateTime: undefined,
  };
  return { study, violations: check.violations };
}
