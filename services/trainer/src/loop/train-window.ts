/** Trains one outer step: plain steps, a window with its hypergradients, and what the DMD service finds in these. */

import { setImmediate as yieldToIo } from 'node:timers/promises';
import type { WindowReport } from '@glocal/proto/glocal/v1/dmd';
import { DmdAbsence, Estimator, type Evaluation } from '@glocal/proto/glocal/v1/study';
import type { DmdClient } from '../dmd/client.ts';
import { DmdError } from '../dmd/errors.ts';
import { hypergradientsOf } from '../hyper/differentiation.ts';
import { PausedError } from '../lifecycle/transitions.ts';
import type { CompleteMethod } from '../resource/complete-study.ts';
import type { OuterStepShape } from '../resource/windows.ts';
import type { Learner } from './learner.ts';
import type { WindowFindings } from './policy.ts';
import type { Stopwatch } from './stopwatch.ts';
import { isFiniteRow } from './window.ts';

/** One outer step, trained: a window with the plain steps before it, or those after the last one. */
export interface TrainedWindow extends WindowFindings {
  /** Inner step after which the first row was taken; it says nothing where there is none. */
  readonly firstStep: number;
  readonly validation: Evaluation;
  readonly averagedValidation: Evaluation;
  /** What of its rows the record of the outer step has, where the store has the others; all unless given. */
  readonly unstored?: Float64Array;
  /** Where the time went since it was begun. */
  readonly watch: Stopwatch;
}

/** What an outer step starts from. */
export interface WindowStart {
  /** phi, one entry a component. */
  readonly point: Float64Array;
  /** Inner steps done before it. */
  readonly stepsDone: number;
  readonly shape: OuterStepShape;
  /** Euclidean norms of earlier hypergradients. */
  readonly priorNorms: readonly number[];
}

export interface WindowTrainer {
  readonly learner: Learner;
  /** Only GLOCAL uses it. */
  readonly dmd: Pick<DmdClient, 'openWindow'>;
  readonly method: CompleteMethod;
  readonly progress: (stepsDone: number) => void;
}

/**
 * Trains until the window's end, or until a hypergradient is not finite.
 * @throws DmdError when the DMD service refuses such windows; PausedError when it is away and the study says to wait for it.
 */
export async function trainWindow(
  { learner, dmd, method, progress }: WindowTrainer,
  { point, stepsDone: before, shape: { plainSteps, windowSteps }, priorNorms }: WindowStart,
  watch: Stopwatch,
): Promise<TrainedWindow> {
  const hasWindow = windowSteps > 0;
  const count = hasWindow ? hypergradientsOf(method) : 0;
  const start = before + plainSteps;
  const end = start + windowSteps;
  const firstStep = end - (count - 1) * method.stride;
  let stepsDone = before;
  learner.startWindow(point);
  while (stepsDone < start) {
    watch.run('plain', () => learner.plainStep());
    stepsDone += 1;
    progress(stepsDone);
    await yieldToIo();
  }
  const open =
    hasWindow && method.estimator === Estimator.GLOCAL
      ? dmd.openWindow({ rows: count, components: point.length, options: method.dmd, priorNorms })
      : undefined;
  const rows: Float64Array[] = [];
  let finite = true;
  const take = (row: Float64Array) => {
    rows.push(row);
    finite &&= isFiniteRow(row);
    // A non-finite hypergradient never leaves the trainer (docs/method.md, section 5).
    if (finite) open?.push(row);
  };
  const isPlain = method.estimator === Estimator.FIXED;
  while (stepsDone < end && finite) {
    watch.run(isPlain ? 'plain' : 'training', () => learner.step());
    stepsDone += 1;
    if (count > 0 && stepsDone >= firstStep && (end - stepsDone) % method.stride === 0) {
      const row = watch.run('hypergradients', () => learner.hypergradient());
      if (row !== undefined) take(row);
    }
    progress(stepsDone);
    await yieldToIo();
  }
  if (count > 0) watch.run('hypergradients', () => learner.endWindow()).forEach(take);
  if (!finite) open?.abandon();
  const answer =
    finite && open
      ? await watch.runAsync('dmd', () => reportOrReason(() => open.report(), method.dmdAbsence))
      : NOT_ASKED;
  return {
    hasWindow,
    rows,
    firstStep,
    stepsDone,
    ...answer,
    trainLoss: learner.takeTrainLoss(),
    hasLoss: true,
    validation: learner.evaluate('validation', 'lastIterate'),
    averagedValidation: learner.evaluate('validation', 'averaged'),
    watch,
  };
}

/** What the DMD service says of a window. */
export interface Answer {
  readonly report: WindowReport | undefined;
  readonly noReport: string | undefined;
}

/** It was not asked. */
export const NOT_ASKED: Answer = { report: undefined, noReport: undefined };

/**
 * The service's answer, or why there is none; then the policy falls back.
 * @throws DmdError when the service refuses the window; PausedError when it is away and the trial is to wait for it.
 */
export async function reportOrReason(ask: () => Promise<WindowReport>, absence: DmdAbsence): Promise<Answer> {
  try {
    return { report: await ask(), noReport: undefined };
  } catch (error) {
    if (!(error instanceof DmdError) || error.kind === 'refused') throw error;
    if (error.kind === 'away' && absence === DmdAbsence.PAUSE) {
      throw new PausedError({ why: `the DMD service did not answer: ${error.message}`, cause: 'dmd' });
    }
    const noReport =
      error.kind === 'away'
        ? 'the DMD service did not answer'
        : `the DMD service failed on this window: ${error.message}`;
    return { report: undefined, noReport };
  }
}
