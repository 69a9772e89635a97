/**
 * The outer loop (the paper's Algorithm 1) in steps that a caller drives: train a window, see what is to be done about it,
 * do that. Between two outer steps it can be saved, and another one resumed from it takes the same path.
 */

import {
  type Decision,
  type DifferentiationCost,
  Estimator,
  type OuterStep,
  Source,
  type Study,
  type Update,
} from '@glocal/proto/glocal/v1/study';
import type { SearchPoint } from '../hyper/search-point.ts';
import type { CompleteMethod, CompleteStudy } from '../resource/complete-study.ts';
import { riseByFrequencies } from '../resource/imbalance.ts';
import { outerStepName, parseTrialName } from '../resource/names.ts';
import { encodeRows } from '../resource/rows.ts';
import { outerStepFrom } from '../resource/windows.ts';
import type { Learner, Snapshot } from './learner.ts';
import { OuterOptimizer } from './outer-optimizer.ts';
import { rateShareOf } from './outer-schedule.ts';
import { stepsToTime, timePlainSteps } from './plain-steps.ts';
import { conclude, isSound, lossOf, type Rules } from './policy.ts';
import { type Ending, type Settlement, settle, settleAs, type Unsettled } from './settlement.ts';
import { initialState, type LoopState, withNorms } from './state.ts';
import { Stopwatch } from './stopwatch.ts';
import { type TrainedWindow, trainWindow, type WindowTrainer } from './train-window.ts';

export interface LoopParts {
  readonly study: Pick<CompleteStudy, 'method' | 'training'> & Pick<Partial<Study>, 'problem'>;
  /** Resource name of the trial. */
  readonly trial: string;
  /** Of the study's space. */
  readonly space: SearchPoint;
  /** As a trial of this seed starts, whether the loop starts or is resumed. */
  readonly learner: Learner;
  /** How the learner computes hypergradients; undefined when it computes none. */
  readonly differentiation: DifferentiationCost | undefined;
  /** Only GLOCAL uses it. */
  readonly dmd: WindowTrainer['dmd'];
  /** Told after each inner step. */
  readonly progress: WindowTrainer['progress'];
  /** How many norms of earlier hypergradients to keep; as many as the DMD service takes unless less. */
  readonly maxPriorNorms?: number;
}

/** All that resuming needs. */
export interface SavedLoop {
  readonly state: LoopState;
  /** Of the learner, at the same boundary. */
  readonly snapshot: Snapshot;
}

/** What the policy would do about a window, with all that another decision needs. */
export interface Proposal {
  readonly window: TrainedWindow;
  readonly unsettled: Unsettled;
  readonly settlement: Settlement;
  /** As it would be. */
  readonly outerStep: OuterStep;
}

/** Steps are int32 in every message that tells of them. */
const MAX_STEPS = 2 ** 31 - 1;

export class OuterLoop {
  readonly #parts: LoopParts;
  readonly #method: CompleteMethod;
  readonly #rules: Rules;
  /** Inner steps in all. */
  readonly #steps: number;
  /** Where each training of GLOBAL starts. */
  readonly #start: Snapshot;
  #optimizer: OuterOptimizer;
  /** At the last boundary; the optimizer has its own. */
  #figures: Omit<LoopState, 'optimizer'>;
  /** The learner at the last boundary. */
  #snapshot: Snapshot;
  #ending: Ending | undefined;

  /**
   * @param saved where to go on; from the beginning without it.
   * @throws RangeError when the study has more inner steps than can be counted.
   */
  constructor(parts: LoopParts, saved?: SavedLoop) {
    const { study, space, learner } = parts;
    const { method, training } = study;
    this.#parts = parts;
    this.#method = method;
    this.#rules = { ...method, mayRiseBy: riseByFrequencies(study.problem) };
    this.#steps = training.steps * (method.trainings || 1);
    if (this.#steps > MAX_STEPS) {
      throw new RangeError(
        `the study has ${this.#steps} inner steps in all; at most ${MAX_STEPS} can be counted`,
      );
    }
    this.#start = learner.snapshot();
    if (saved !== undefined) learner.restore(saved.snapshot);
    this.#snapshot = saved?.snapshot ?? this.#start;
    const { optimizer, ...figures } =
      saved?.state ??
      initialState(space.initial, method.outer.rate, learner.evaluate('validation', 'lastIterate').loss);
    this.#optimizer = OuterOptimizer.restore(
      optimizer,
      method.outer,
      // As published, all components make the same step.
      method.cost?.$case === 'exact' ? { clip: (point) => space.clip(point) } : space,
    );
    this.#figures = figures;
  }

  /** At the last boundary. */
  get state(): LoopState {
    return { ...this.#figures, optimizer: this.#optimizer.state };
  }

  /** At the last boundary. */
  save(): SavedLoop {
    return { state: this.state, snapshot: this.#snapshot };
  }

  /** Why the trial does not go on though it has steps left; undefined when it does. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Whether there is nothing left to train. */
  get done(): boolean {
    return this.#ending !== undefined || this.#figures.stepsDone >= this.#steps;
  }

  /** One outer step, decided by the policy. */
  async step(): Promise<OuterStep> {
    return this.settle(this.propose(await this.trainWindow()));
  }

  /** Trains the next outer step from the last boundary on; nothing has moved yet. */
  trainWindow(): Promise<TrainedWindow> {
    const { study, learner, dmd, progress } = this.#parts;
    const watch = new Stopwatch();
    const { point } = this.#optimizer;
    if (this.#figures.outerStepsDone === 1) {
      // Not before: by now the backend is warm.
      const count = stepsToTime(this.#method, study.training.steps);
      timePlainSteps(learner, { count, snapshot: this.#snapshot, point }, watch);
    }
    if (this.#method.estimator === Estimator.GLOBAL) learner.restore(this.#start);
    const shape = outerStepFrom(this.#method, this.#figures.stepsDone, this.#steps);
    return trainWindow(
      { learner, dmd, method: this.#method, progress },
      { ...this.#figures, point, shape },
      watch,
    );
  }

  /** What the policy would do about a window. Nothing has changed yet. */
  propose(window: TrainedWindow): Proposal {
    const { canRetry, point } = this.#optimizer;
    const isFixed = this.#method.estimator === Estimator.FIXED;
    const canLowerRates = !isFixed && this.#parts.space.lowerRates(point) !== undefined;
    const before = { ...this.#figures, canRetry, canLowerRates };
    const conclusion = conclude(this.#rules, window, before);
    const unsettled = {
      space: this.#parts.space,
      optimizer: this.#optimizer,
      rateShare: this.#rateShare,
      conclusion,
      sound: isSound(window),
      scaledBy: this.#method.outer.normalize ? window.rows : undefined,
    };
    const settlement = settle(unsettled);
    return { window, unsettled, settlement, outerStep: this.#record(window, settlement) };
  }

  /**
   * Does what was proposed, or what a driver decides instead: moves, holds, goes back or ends. The learner is then at the
   * next boundary.
   */
  settle({ window, unsettled, settlement: proposed, outerStep }: Proposal, decision?: Decision): OuterStep {
    const settlement = decision === undefined ? proposed : settleAs(decision, unsettled);
    const { optimizer, update, goesBack, ending } = settlement;
    const step = this.#stepAfter(window, settlement);
    this.#optimizer = optimizer;
    this.#ending = ending;
    this.#figures = { ...this.#figures, outerStepsDone: outerStep.index };
    if (goesBack) this.#parts.learner.restore(this.#snapshot);
    else if (ending?.outcome !== 'infeasible') {
      const wasLowered = update?.sources.includes(Source.LOWERED) === true;
      this.#goOn(window, update, wasLowered && unsettled.conclusion.action === 'lowerRates');
    }
    const nextValues =
      decision === undefined ? outerStep.nextValues : this.#parts.space.values(optimizer.point, step);
    return { ...outerStep, step, nextValues, update, timing: window.watch.read() };
  }

  /** Of an update at the end of the next window. A window that was taken back is trained again, and counts once. */
  get #rateShare(): number {
    return rateShareOf(this.#method.outer.schedule, this.#figures.stepsDone / this.#steps);
  }

  #stepAfter({ stepsDone }: TrainedWindow, { goesBack }: Settlement): number {
    return goesBack ? this.#figures.stepsDone : stepsDone;
  }

  /**
   * The window's end is the new boundary.
   * @param startsAnew whether the lowest loss is looked for from here on.
   */
  #goOn(window: TrainedWindow, update: Update | undefined, startsAnew: boolean): void {
    const { rows, stepsDone, validation, averagedValidation } = window;
    const { priorNorms, fallbackWindows, lowestLoss } = this.#figures;
    const loss = lossOf(this.#method, window);
    this.#figures = {
      ...this.#figures,
      stepsDone,
      validationLoss: validation.loss,
      averagedValidationLoss: averagedValidation.loss,
      lowestLoss: startsAnew ? loss : Math.min(lowestLoss, loss),
      priorNorms: withNorms(priorNorms, rows, this.#parts.maxPriorNorms),
      fallbackWindows: fallbackWindows + (update?.fellBack ? 1 : 0),
    };
    this.#snapshot = this.#parts.learner.snapshot();
  }

  /** The outer step as it would be. */
  #record(window: TrainedWindow, settlement: Settlement): OuterStep {
    const { hasWindow, rows, unstored, firstStep, report, trainLoss, validation, averagedValidation, watch } =
      window;
    const { trial: name, space, differentiation } = this.#parts;
    const { study, trial } = parseTrialName(name, 'trial');
    const index = this.#figures.outerStepsDone + 1;
    const { stride } = this.#method;
    const step = this.#stepAfter(window, settlement);
    return {
      name: outerStepName(study, trial, index),
      index,
      step,
      values: space.values(this.#optimizer.point, this.#figures.stepsDone),
      nextValues: space.values(settlement.optimizer.point, step),
      trainLoss,
      validation,
      averagedValidation,
      window:
        rows.length === 0
          ? undefined
          : {
              components: space.components,
              firstStep,
              rows: rows.length,
              stride,
              hypergradients: encodeRows(unstored ? [unstored] : rows),
            },
      report,
      update: settlement.update,
      timing: watch.read(),
      differentiation: hasWindow ? differentiation : undefined,
    };
  }
}
