/**
 * The rules of a specification that need neither the catalogue nor the limits of a server. Clients check with them before a call
 * is made, and find what the server would have found, word for word; but for the number of trials, which a server counts only
 * once its catalogue finds no fault of the space. No tfjs, nothing native.
 */

import { RunMode, type Study } from '@glocal/proto/glocal/v1/study';
import type { FieldViolation } from '../resource/errors.ts';
import { Checker } from './specification/checker.ts';
import { completeExternal } from './specification/external.ts';
import { completeMethod, isRiseTelling } from './specification/method.ts';
import { completeMode } from './specification/mode.ts';
import { checkNames } from './specification/names.ts';
import { completeSampling } from './specification/sampling.ts';
import { completeSpace } from './specification/space.ts';
import { checkWholeWindows, completeTraining } from './specification/training.ts';
import { hasWish, withWishedRows } from './specification/wish.ts';

/** What no server limits. */
const UNLIMITED = { maxSteps: Infinity, maxTrials: Infinity, maxWindowRows: 0, maxComponents: 0 };

/** What is wrong with a study for every server; paths as in `completeStudy`. */
export function brokenRules(requested: Study): readonly FieldViolation[] {
  const check = new Checker();
  checkNames(requested, check);
  if (requested.mode === RunMode.EXTERNAL) completeExternal(requested, UNLIMITED, check);
  else checkTrained(requested, check);
  completeMode(requested, check);
  return check.violations;
}

/** Of a study that the service trains, all but its problem. */
function checkTrained(study: Study, check: Checker): void {
  const { space: asked, training, method: wished, sampling } = study;
  const steps = training?.steps ?? 0;
  const context = { steps, limits: UNLIMITED, isRiseTelling: isRiseTelling(study) };
  const method = completeMethod(withWishedRows(wished), context, check);
  const { seeds } = completeTraining(training, method, UNLIMITED, check);
  const space = completeSpace(
    asked,
    { catalogue: undefined, optimizers: [], steps },
    method.estimator,
    check,
  );
  completeSampling(sampling, { space, seeds: seeds.length }, UNLIMITED, check);
  // A wish may lay windows apart, as far as the catalogue says what they cost.
  if (!hasWish(wished)) checkWholeWindows(steps, method, check);
}
