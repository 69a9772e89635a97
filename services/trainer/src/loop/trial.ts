/** The outer loop (the paper's Algorithm 1): train a window, see where the hypergradient heads, move, repeat. */

import { setImmediate as yieldToIo } from 'node:timers/promises';
import type { WindowReport } from '@glocal/proto/glocal/v1/dmd';
import {
  type DifferentiationCost,
  Estimator,
  type Evaluation,
  type OuterStep,
  Source,
  type Update,
} from '@glocal/proto/glocal/v1/study';
import type { DmdClient, OpenWindow } from '../dmd/client.ts';
import { DmdError } from '../dmd/errors.ts';
import type { SearchPoint } from '../hyper/search-point.ts';
import type { CompleteMethod, CompleteStudy } from '../resource/complete-study.ts';
import { outerStepName, parseTrialName } from '../resource/names.ts';
import { encodeRows } from '../resource/rows.ts';
import { type Decision, decide } from './decide.ts';
import type { Learner, Snapshot } from './learner.ts';
import { OuterOptimizer } from './outer-optimizer.ts';
import { Stopwatch } from './stopwatch.ts';
import { isFiniteRow, norm } from './window.ts';

/** How a trial ended. */
export type Outcome =
  | {
      readonly outcome: 'succeeded';
      readonly reason: string;
      readonly test: Evaluation;
      readonly averagedTest: Evaluation;
    }
  | { readonly outcome: 'infeasible'; readonly reason: string };

/** Told while the trial runs. */
export interface TrialListener {
  progress(stepsDone: number): void;
  /** An outer step is complete. Training goes on when the promise resolves. */
  outerStep(outerStep: OuterStep): void | Promise<void>;
}

export interface TrialParts {
  readonly study: CompleteStudy;
  /** Resource name of the trial. */
  readonly trial: string;
  /** Of the study's space. */
  readonly space: SearchPoint;
  readonly learner: Learner;
  /** How the learner computes hypergradients; undefined when it computes none. */
  readonly differentiation: DifferentiationCost | undefined;
  /** Only GLOCAL uses it. */
  readonly dmd: Pick<DmdClient, 'openWindow'>;
  readonly listener: TrialListener;
}

/** One trained window. */
interface TrainedWindow {
  readonly rows: readonly Float64Array[];
  /** Inner step after which the first row was taken. */
  readonly firstStep: number;
  /** Undefined unless GLOCAL and the service answered. */
  readonly report: WindowReport | undefined;
  readonly trainLoss: number;
  readonly validation: Evaluation;
  readonly averagedValidation: Evaluation;
}

/** Where training can go back to. */
interface Boundary {
  readonly snapshot: Snapshot;
  readonly stepsDone: number;
  readonly validationLoss: number;
}

/** Trains a trial to its end. */
export async function runTrial(parts: TrialParts): Promise<Outcome> {
  return new TrialRun(parts).run();
}

class TrialRun {
  readonly #trial: string;
  readonly #learner: Learner;
  readonly #dmd: TrialParts['dmd'];
  readonly #listener: TrialListener;
  readonly #method: CompleteMethod;
  /** Inner steps in all. */
  readonly #steps: number;
  readonly #space: SearchPoint;
  readonly #differentiation: DifferentiationCost | undefined;
  /** Where each training of GLOBAL starts. */
  readonly #start: Snapshot;
  readonly #optimizer: OuterOptimizer;
  readonly #priorNorms: number[] = [];
  #stepsDone = 0;
  #boundary: Boundary;

  constructor({ study, trial, space, learner, differentiation, dmd, listener }: TrialParts) {
    const { method, training } = study;
    this.#trial = trial;
    this.#learner = learner;
    this.#dmd = dmd;
    this.#listener = listener;
    this.#method = method;
    this.#steps = training.steps * (method.trainings || 1);
    this.#space = space;
    this.#differentiation = differentiation;
    this.#optimizer = new OuterOptimizer(this.#space.initial, method.outer, (point) =>
      this.#space.clip(point),
    );
    this.#start = learner.snapshot();
    this.#boundary = this.#boundaryHere(learner.evaluate('validation', 'lastIterate'));
  }

  async run(): Promise<Outcome> {
    for (let index = 1; this.#stepsDone < this.#steps; index++) {
      const watch = new Stopwatch();
      const start = this.#optimizer.point;
      if (this.#method.estimator === Estimator.GLOBAL) this.#learner.restore(this.#start);
      const window = await this.#trainWindow(watch);
      const { update, infeasible } = this.#conclude(window);
      await this.#listener.outerStep(this.#record(index, start, window, update, watch));
      if (infeasible !== undefined) return { outcome: 'infeasible', reason: infeasible };
    }
    return {
      outcome: 'succeeded',
      reason: `all ${this.#steps} inner steps done`,
      test: this.#learner.evaluate('test', 'lastIterate'),
      averagedTest: this.#learner.evaluate('test', 'averaged'),
    };
  }

  async #trainWindow(watch: Stopwatch): Promise<TrainedWindow> {
    const { window: length, stride } = this.#method;
    const count = this.#rowsPerWindow();
    const end = this.#stepsDone + length;
    const firstStep = end - (count - 1) * stride;
    const open = this.#openWindow(count);
    const rows: Float64Array[] = [];
    let finite = true;
    const take = (row: Float64Array) => {
      rows.push(row);
      finite &&= isFiniteRow(row);
      // A non-finite hypergradient never leaves the trainer (docs/method.md, section 5).
      if (finite) open?.push(row);
    };
    this.#learner.startWindow(this.#optimizer.point);
    while (this.#stepsDone < end && finite) {
      watch.run('training', () => this.#learner.step());
      this.#stepsDone += 1;
      if (count > 0 && this.#stepsDone >= firstStep && (end - this.#stepsDone) % stride === 0) {
        const row = watch.run('hypergradients', () => this.#learner.hypergradient());
        if (row !== undefined) take(row);
      }
      this.#listener.progress(this.#stepsDone);
      await yieldToIo();
    }
    if (count > 0) watch.run('hypergradients', () => this.#learner.endWindow()).forEach(take);
    if (!finite) open?.abandon();
    const report = finite && open ? await watch.runAsync('dmd', () => reportOrNothing(open)) : undefined;
    const trainLoss = this.#learner.takeTrainLoss();
    return {
      rows,
      firstStep,
      report,
      trainLoss,
      validation: this.#learner.evaluate('validation', 'lastIterate'),
      averagedValidation: this.#learner.evaluate('validation', 'averaged'),
    };
  }

  #rowsPerWindow(): number {
    switch (this.#method.estimator) {
      case Estimator.FIXED:
        return 0;
      case Estimator.LOCAL:
      case Estimator.GLOBAL:
        return 1;
      default:
        return this.#method.sigma;
    }
  }

  #openWindow(rows: number): OpenWindow | undefined {
    const { estimator, dmd: options } = this.#method;
    if (estimator !== Estimator.GLOCAL || options === undefined) return undefined;
    const components = this.#space.components.length;
    return this.#dmd.openWindow({ rows, components, options, priorNorms: this.#priorNorms });
  }

  /** Moves, holds or goes back, and says so. */
  #conclude(window: TrainedWindow): { update: Update | undefined; infeasible?: string } {
    const decision = this.#decide(window);
    if (decision === undefined) {
      this.#boundary = this.#boundaryHere(window.validation);
      return { update: undefined };
    }
    const { reason } = decision;
    switch (decision.action) {
      case 'move':
        this.#keepNorms(window);
        this.#optimizer.move(decision.hypergradient);
        this.#boundary = this.#boundaryHere(window.validation);
        return { update: this.#update(decision.hypergradient, decision.sources, reason) };
      case 'hold':
        return { update: this.#hold(window, reason) };
      case 'rollBack':
        if (isSound(window) && window.validation.loss <= this.#boundary.validationLoss) {
          return {
            update: this.#hold(
              window,
              `${reason}; the validation loss did not rise, so nothing is taken back`,
            ),
          };
        }
        if (this.#optimizer.retryAtHalfRate()) {
          this.#learner.restore(this.#boundary.snapshot);
          this.#stepsDone = this.#boundary.stepsDone;
          return { update: { ...this.#update(undefined, [], reason), rolledBack: true } };
        }
        if (isSound(window)) {
          return { update: this.#hold(window, `${reason}; there is nothing left to take back`) };
        }
        return {
          update: this.#update(undefined, [], reason),
          infeasible: `${reason} at step ${this.#stepsDone}`,
        };
    }
  }

  #decide(window: TrainedWindow): Decision | undefined {
    const { estimator } = this.#method;
    if (!isSound(window)) return { action: 'rollBack', reason: 'a loss or hypergradient is not finite' };
    return estimator === Estimator.FIXED ? undefined : decide(estimator, window.rows, window.report);
  }

  #hold(window: TrainedWindow, reason: string): Update {
    this.#keepNorms(window);
    this.#optimizer.hold();
    this.#boundary = this.#boundaryHere(window.validation);
    return this.#update(
      undefined,
      this.#space.components.map(() => Source.HELD),
      reason,
    );
  }

  #keepNorms({ rows }: TrainedWindow): void {
    this.#priorNorms.push(...rows.map(norm));
  }

  #boundaryHere({ loss }: Evaluation): Boundary {
    return { snapshot: this.#learner.snapshot(), stepsDone: this.#stepsDone, validationLoss: loss };
  }

  #update(hypergradient: Float64Array | undefined, sources: readonly Source[], reason: string): Update {
    return {
      hypergradient: [...(hypergradient ?? [])],
      sources: [...sources],
      rate: this.#optimizer.rate,
      reason,
      rolledBack: false,
      clipped: this.#optimizer.clipped.map((k) => this.#space.components[k] ?? ''),
    };
  }

  #record(
    index: number,
    start: Float64Array,
    { rows, firstStep, report, trainLoss, validation, averagedValidation }: TrainedWindow,
    update: Update | undefined,
    watch: Stopwatch,
  ): OuterStep {
    const { study, trial } = parseTrialName(this.#trial, 'trial');
    return {
      name: outerStepName(study, trial, index),
      index,
      step: this.#stepsDone,
      values: this.#space.values(start),
      nextValues: this.#space.values(this.#optimizer.point),
      trainLoss,
      validation,
      averagedValidation,
      window:
        rows.length === 0
          ? undefined
          : {
              components: this.#space.components,
              firstStep,
              rows: rows.length,
              stride: this.#method.stride,
              hypergradients: encodeRows(rows),
            },
      report,
      update,
      timing: watch.read(),
      differentiation: this.#differentiation,
    };
  }
}

/** The service's answer, or undefined when it stayed away for the whole budget: then the policy falls back. */
async function reportOrNothing(open: OpenWindow): Promise<WindowReport | undefined> {
  try {
    return await open.report();
  } catch (error) {
    if (error instanceof DmdError && error.kind !== 'refused') return undefined;
    throw error;
  }
}

const isSound = ({ rows, trainLoss, validation }: TrainedWindow): boolean =>
  rows.every(isFiniteRow) && Number.isFinite(trainLoss) && Number.isFinite(validation.loss);
