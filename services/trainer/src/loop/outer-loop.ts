/**
 * The outer loop (the paper's Algorithm 1) in steps that a caller drives: train a window, see what is to be done about it,
 * do that. Between two outer steps it can be saved, and another one resumed from it takes the same path.
 */

import {
  type DifferentiationCost,
  Estimator,
  type OuterStep,
  Source,
  type Update,
} from '@glocal/proto/glocal/v1/study';
import type { SearchPoint } from '../hyper/search-point.ts';
import type { CompleteMethod, CompleteStudy } from '../resource/complete-study.ts';
import { outerStepName, parseTrialName } from '../resource/names.ts';
import { encodeRows } from '../resource/rows.ts';
import type { Learner, Snapshot } from './learner.ts';
import { OuterOptimizer } from './outer-optimizer.ts';
import { type Conclusion, conclude } from './policy.ts';
import { initialState, type LoopState, withNorms } from './state.ts';
import { type TrainedWindow, trainWindow, type WindowTrainer } from './train-window.ts';

export interface LoopParts {
  readonly study: CompleteStudy;
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
}

/** All that resuming needs. */
export interface SavedLoop {
  readonly state: LoopState;
  /** Of the learner, at the same boundary. */
  readonly snapshot: Snapshot;
}

/** Steps are int32 in every message that tells of them. */
const MAX_STEPS = 2 ** 31 - 1;

export class OuterLoop {
  readonly #parts: LoopParts;
  readonly #method: CompleteMethod;
  /** Inner steps in all. */
  readonly #steps: number;
  /** Where each training of GLOBAL starts. */
  readonly #start: Snapshot;
  readonly #optimizer: OuterOptimizer;
  /** At the last boundary; the optimizer has its own. */
  #figures: Omit<LoopState, 'optimizer'>;
  /** The learner at the last boundary. */
  #snapshot: Snapshot;
  #infeasible: string | undefined;

  /**
   * @param saved where to go on; from the beginning without it.
   * @throws RangeError when the study has more inner steps than can be counted.
   */
  constructor(parts: LoopParts, saved?: SavedLoop) {
    const { study, space, learner } = parts;
    const { method, training } = study;
    this.#parts = parts;
    this.#method = method;
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
    this.#optimizer = OuterOptimizer.restore(optimizer, method.outer, (point) => space.clip(point));
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

  /** Why the trial cannot go on; undefined when it can. */
  get infeasible(): string | undefined {
    return this.#infeasible;
  }

  /** Whether there is no window left to train. */
  get done(): boolean {
    return this.#infeasible !== undefined || this.#figures.stepsDone >= this.#steps;
  }

  /** One outer step, decided by the policy. */
  async step(): Promise<OuterStep> {
    const window = await this.trainWindow();
    return this.settle(window, this.propose(window));
  }

  /** Trains the next window from the last boundary on; nothing has moved yet. */
  trainWindow(): Promise<TrainedWindow> {
    const { learner, dmd, progress } = this.#parts;
    if (this.#method.estimator === Estimator.GLOBAL) learner.restore(this.#start);
    return trainWindow(
      { learner, dmd, method: this.#method, progress },
      { ...this.#figures, point: this.#optimizer.point },
    );
  }

  /** What the policy would do about a window. */
  propose(window: TrainedWindow): Conclusion {
    const { validationLoss } = this.#figures;
    return conclude(this.#method.estimator, window, { validationLoss, canRetry: this.#optimizer.canRetry });
  }

  /** Does it: moves, holds, goes back or gives up. The learner is then at the next boundary. */
  settle(window: TrainedWindow, conclusion: Conclusion): OuterStep {
    const start = this.#optimizer.point;
    this.#figures = { ...this.#figures, outerStepsDone: this.#figures.outerStepsDone + 1 };
    const update = this.#act(window, conclusion);
    const step = this.#infeasible === undefined ? this.#figures.stepsDone : window.stepsDone;
    return this.#record(window, start, update, step);
  }

  #act(window: TrainedWindow, conclusion: Conclusion): Update | undefined {
    switch (conclusion.action) {
      case 'observe':
        this.#goOn(window);
        return undefined;
      case 'move':
        this.#optimizer.move(conclusion.hypergradient);
        this.#goOn(window, conclusion.fellBack);
        return this.#update(conclusion.reason, conclusion);
      case 'hold':
        this.#optimizer.hold();
        this.#goOn(window);
        return this.#update(conclusion.reason, {
          sources: this.#parts.space.components.map(() => Source.HELD),
        });
      case 'rollBack':
        this.#optimizer.retryAtHalfRate();
        this.#parts.learner.restore(this.#snapshot);
        return { ...this.#update(conclusion.reason), rolledBack: true };
      case 'giveUp':
        this.#infeasible = conclusion.reason;
        return this.#update(conclusion.reason);
    }
  }

  /** The window's end is the new boundary. */
  #goOn({ rows, stepsDone, validation }: TrainedWindow, fellBack = false): void {
    const { priorNorms, fallbackWindows } = this.#figures;
    this.#figures = {
      ...this.#figures,
      stepsDone,
      validationLoss: validation.loss,
      priorNorms: withNorms(priorNorms, rows),
      fallbackWindows: fallbackWindows + (fellBack ? 1 : 0),
    };
    this.#snapshot = this.#parts.learner.snapshot();
  }

  #update(
    reason: string,
    made: {
      readonly hypergradient?: Float64Array;
      readonly sources?: readonly Source[];
      readonly fellBack?: boolean;
    } = {},
  ): Update {
    const { components } = this.#parts.space;
    return {
      hypergradient: [...(made.hypergradient ?? [])],
      sources: [...(made.sources ?? [])],
      rate: this.#optimizer.rate,
      reason,
      rolledBack: false,
      clipped: this.#optimizer.clipped.map((k) => components[k] ?? ''),
      fellBack: made.fellBack ?? false,
      decision: undefined,
    };
  }

  #record(
    { rows, firstStep, report, trainLoss, validation, averagedValidation, watch }: TrainedWindow,
    start: Float64Array,
    update: Update | undefined,
    step: number,
  ): OuterStep {
    const { trial: name, space, differentiation } = this.#parts;
    const { study, trial } = parseTrialName(name, 'trial');
    const index = this.#figures.outerStepsDone;
    const { stride } = this.#method;
    return {
      name: outerStepName(study, trial, index),
      index,
      step,
      values: space.values(start),
      nextValues: space.values(this.#optimizer.point),
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
              hypergradients: encodeRows(rows),
            },
      report,
      update,
      timing: watch.read(),
      differentiation,
    };
  }
}
