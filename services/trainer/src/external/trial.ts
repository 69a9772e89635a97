/**
 * A trial whose client trains: takes its reports, keeps them, and makes an outer step of each whole window. It lives as long
 * as the client's call; all that outlives it is in the store.
 */

import { Estimator, type OuterStep, type Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { Report, type ReportPosition } from '@glocal/proto/glocal/v1/study_service';
import type { DmdClient, OpenWindow } from '../dmd/client.ts';
import { hypergradientsOf } from '../hyper/differentiation.ts';
import { SearchPoint } from '../hyper/search-point.ts';
import { PausedError, type TrialEnding } from '../lifecycle/transitions.ts';
import { OuterLoop } from '../loop/outer-loop.ts';
import { Stopwatch } from '../loop/stopwatch.ts';
import { type Answer, NOT_ASKED, reportOrReason } from '../loop/train-window.ts';
import type { Rows } from '../loop/window.ts';
import { unlessAborted } from '../resource/abort.ts';
import { asExternal, type ExternalStudy } from '../resource/complete-study.ts';
import { FieldError, InterruptedError } from '../resource/errors.ts';
import { fallbackNote } from '../resource/fallbacks.ts';
import { outerStepName, parseTrialName } from '../resource/names.ts';
import { decodeRow, rowsOf } from '../resource/rows.ts';
import type { ReportedTrial, Store } from '../store/store.ts';
import { countComponents } from '../study/specification/external.ts';
import { studyOfTrial } from '../study/trial-study.ts';
import type { TraceContext } from '../tracing/tracing.ts';
import { type Kept, KeptReports, NOTHING_KEPT, valuesOf } from './kept-reports.ts';
import { REMOTE_LEARNER } from './remote-learner.ts';
import { scalesOf, usesScales } from './scales.ts';
import { decodeState, encodeState } from './state.ts';
import { ReportedWindow } from './window.ts';

/** They are written with each outer step. Their median, which a spike is measured by, changes little with more. */
export const MAX_PRIOR_NORMS = 1_000;
const DMD_RETRY_MS = 5_000;

export interface ExternalParts {
  readonly store: Pick<Store, 'startReporting' | 'addReports' | 'closeWindow' | 'getOuterStep'>;
  readonly dmd: Pick<DmdClient, 'openWindow' | 'analyze'>;
  /** What calls of the DMD service belong to. */
  readonly trace?: TraceContext | undefined;
}

/** What has come of a report. */
export type Outcome =
  /** It is kept; the window goes on. */
  | { readonly position: ReportPosition }
  /** The window is decided; `ended` when it was the trial's last. */
  | { readonly outerStep: OuterStep; readonly ended: Trial | undefined };

/** A report that has been taken. */
export interface Taken {
  /**
   * What it says is durable when this resolves.
   * @throws the store's errors, ReportedOtherwiseError, and what {@link ExternalTrial.decide} throws.
   */
  readonly outcome: Promise<Outcome>;
  /** Whether the next report may be given before that. */
  readonly goesOn: boolean;
}

/** What a window takes: its rows, and as much on the way to the store and to the DMD service. */
export const windowBytes = ({ space, method }: ExternalStudy): number =>
  2 * 8 * hypergradientsOf(method) * countComponents(space);

export class ExternalTrial {
  readonly #parts: ExternalParts;
  readonly #claimed: ReportedTrial;
  readonly #study: ExternalStudy;
  readonly #space: SearchPoint;
  readonly #components: readonly string[];
  readonly #loop: OuterLoop;
  /** phi during the window before. */
  #lastPoint: Float64Array | undefined;
  /** Of the window before; undefined where windows are analyzed without. */
  #scales: Float64Array | undefined;
  #window: ReportedWindow;
  /** The whole rows of the window. */
  #rows: Float64Array[] = [];
  #reports: KeptReports;
  /** Whether the store has rows of the window with respect to the values. */
  #hasNatural = false;
  #derivatives: Float64Array;
  #watch = new Stopwatch();
  /** The window at the DMD service, where that takes rows as they come. */
  #open: OpenWindow | undefined;

  private constructor(parts: ExternalParts, claimed: ReportedTrial) {
    this.#parts = parts;
    this.#claimed = claimed;
    this.#study = studyOfTrial(asExternal(claimed.study), claimed.trial);
    const shape = { layers: [], classes: 0, initialNetwork: () => [] };
    this.#space = new SearchPoint(this.#study.space, shape);
    this.#components = this.#space.components;
    const state = claimed.state && decodeState(claimed.state);
    this.#lastPoint = state?.lastPoint;
    this.#loop = new OuterLoop(
      {
        study: this.#study,
        trial: claimed.trial.name,
        space: this.#space,
        learner: REMOTE_LEARNER,
        differentiation: undefined,
        dmd: parts.dmd,
        progress: () => {},
        maxPriorNorms: MAX_PRIOR_NORMS,
      },
      state && { state: state.loop, snapshot: REMOTE_LEARNER.snapshot() },
    );
    this.#derivatives = this.#space.derivatives(this.#point);
    this.#reports = this.#keeping();
    this.#window = this.#nextWindow();
  }

  /**
   * Takes a trial up where it is, from whoever reported for it before.
   * @throws NotFoundError, StateError when it does not wait for reports.
   */
  static async open(parts: ExternalParts, name: string): Promise<ExternalTrial> {
    const trial = new ExternalTrial(parts, await parts.store.startReporting(name));
    await trial.#restore();
    return trial;
  }

  /** Of the claim, which rises with each client that comes. */
  get epoch(): number {
    return this.#claimed.claim.epoch;
  }

  /** With the values, which stay the same for all of a window. */
  get position(): ReportPosition {
    return { ...this.#stored, values: this.#space.values(this.#point, 0) };
  }

  /** Whether all is there that the next outer step needs. */
  get isDue(): boolean {
    return this.#window.isOver;
  }

  /**
   * Takes a report. The next one may be given at once where `goesOn` says so; their outcomes come in any order.
   * @param stop aborted when nobody waits any longer; its reason is thrown.
   * @throws FieldError, ReportedOtherwiseError
   */
  report(report: Report, stop: AbortSignal): Taken {
    const { outerStep } = report;
    const { outerStepsDone } = this.#loop.state;
    if (outerStep === outerStepsDone && outerStepsDone > 0) {
      return { outcome: this.#repeated(report), goesOn: false };
    }
    if (outerStep !== outerStepsDone + 1) {
      throw FieldError.of(
        'REPORT',
        'report.outer_step',
        `${outerStep} is not the outer step whose rows come next, which is ${outerStepsDone + 1}`,
      );
    }
    const added = this.#window.take(report);
    this.#passOn();
    if (this.isDue) return { outcome: this.decide(stop, added), goesOn: false };
    const outcome = { position: { ...this.#stored, values: [] } };
    if (added === undefined) return { outcome: Promise.resolve(outcome), goesOn: true };
    return { outcome: this.#reports.keep(added).then(() => outcome), goesOn: true };
  }

  /**
   * Makes the outer step of a window that {@link isDue}.
   * @param added of the last report, which the outer step stores.
   * @throws the store's errors; InterruptedError when the DMD service is away and the study says to wait for it.
   */
  async decide(stop: AbortSignal, added?: Report): Promise<Outcome> {
    const { store } = this.#parts;
    const { claim } = this.#claimed;
    const answer = await this.#watch
      .runAsync('dmd', () => unlessAborted(this.#analyze(), stop))
      .catch((error: unknown) => this.#keepFor(error, added));
    const point = this.#point;
    const { outerStep, ended } = await this.#reports.close(async (stored) => {
      const kept = this.#isKept ? stored : NOTHING_KEPT;
      const outerStep = this.#settle(answer, kept);
      const state = encodeState({ loop: this.#loop.state, lastPoint: point });
      const end = { kept: kept.reports, ending: this.#ending };
      return { outerStep, ended: await store.closeWindow(claim, outerStep, state, end) };
    });
    this.#lastPoint = point;
    this.#scales = this.#scalesFor(this.#rows);
    this.#derivatives = this.#space.derivatives(this.#point);
    this.#hasNatural = false;
    this.#reports = this.#keeping();
    this.#window = this.#nextWindow(this.#window.storage);
    return { outerStep, ended: ended?.trial };
  }

  /** The DMD service is away, and the study says to wait for it: the window is decided when the client comes back. */
  async #keepFor(error: unknown, added: Report | undefined): Promise<never> {
    if (!(error instanceof PausedError)) throw error;
    if (added !== undefined) await this.#reports.keep(added);
    const message = 'the DMD service is away, and the study waits for it; the rows are kept, connect again';
    throw new InterruptedError('DMD_UNAVAILABLE', message, DMD_RETRY_MS);
  }

  /**
   * Whether the outer step has the rows that the store has, and need not have them itself: not where these are more than its rows, with a
   * part of one in a window that ends before its time, or were kept by an earlier version.
   */
  get #isKept(): boolean {
    return this.#window.partial === 0 && !this.#hasNatural;
  }

  /** The client has gone, or another has come. */
  [Symbol.dispose](): void {
    this.#open?.abandon();
  }

  get #point(): Float64Array {
    return this.#loop.state.optimizer.point;
  }

  get #stored(): Omit<ReportPosition, 'values'> {
    const { rows, partial } = this.#window;
    return { outerStep: this.#loop.state.outerStepsDone + 1, rows, components: partial };
  }

  /** @param storage of the window before. */
  #nextWindow(storage?: Float64Array): ReportedWindow {
    this.#rows = [];
    this.#open = undefined;
    this.#watch = new Stopwatch();
    const { outerStepsDone } = this.#loop.state;
    const size = hypergradientsOf(this.#study.method);
    const derivatives = this.#derivatives;
    return new ReportedWindow(outerStepsDone + 1, size, this.#components, {
      derivatives,
      ...(storage && { storage }),
    });
  }

  /** What the store has of the window that is open, and of the one before as far as this one needs it. */
  async #restore(): Promise<void> {
    const before = usesScales(this.#study.method, this.#components.length)
      ? await this.#outerStep(this.#loop.state.outerStepsDone)
      : undefined;
    const { hypergradients = Buffer.alloc(0), rows = 0 } = before?.window ?? {};
    this.#scales = this.#scalesFor(rowsOf(decodeRow(hypergradients), rows));
    const { reports } = this.#claimed;
    let values = 0;
    for (const { report, natural } of reports) {
      this.#window.restore(report, natural);
      this.#hasNatural ||= natural;
      values += valuesOf(report);
    }
    this.#reports = this.#keeping({ reports: reports.length, values });
    this.#passOn();
  }

  #scalesFor(rows: Rows): Float64Array | undefined {
    return usesScales(this.#study.method, this.#components.length) ? scalesOf(rows) : undefined;
  }

  /** Takes the rows that have become whole to the DMD service if it can begin with them. */
  #passOn(): void {
    for (let position = this.#rows.length; position < this.#window.rows; position++) {
      const row = this.#window.row(position);
      this.#rows.push(row);
      if (this.#scales === undefined) continue;
      this.#open ??= this.#parts.dmd.openWindow({ ...this.#shape, scales: this.#scales });
      this.#open.push(row);
    }
  }

  #keeping(kept?: Kept): KeptReports {
    const { store } = this.#parts;
    const { claim } = this.#claimed;
    return new KeptReports((reports, number) => store.addReports(claim, reports, number), kept);
  }

  get #shape() {
    const { method } = this.#study;
    return {
      rows: hypergradientsOf(method),
      components: this.#components.length,
      options: method.dmd,
      priorNorms: this.#loop.state.priorNorms,
      trace: this.#parts.trace,
    };
  }

  #analyze(): Promise<Answer> {
    if (this.#study.method.estimator !== Estimator.GLOCAL || this.#window.diverged) {
      this.#open?.abandon();
      return Promise.resolve(NOT_ASKED);
    }
    const { dmd } = this.#parts;
    const ask = () => this.#open?.report() ?? dmd.analyze(this.#shape, this.#rows);
    return reportOrReason(ask, this.#study.method.dmdAbsence);
  }

  /** What the policy makes of the window. A figure that the client has not told is left out, and decides nothing. */
  #settle(answer: Answer, kept: Kept): OuterStep {
    const { method } = this.#study;
    const { stepsDone, validationLoss } = this.#loop.state;
    const { trainLoss, validation } = this.#window;
    const unknown = { loss: validationLoss, accuracy: 0, examples: 0 };
    const end = stepsDone + method.window;
    const window = {
      hasWindow: true,
      rows: this.#rows,
      unstored: this.#window.rowsFrom(kept.values),
      firstStep: end - (hypergradientsOf(method) - 1) * method.stride,
      stepsDone: end,
      ...answer,
      trainLoss: trainLoss ?? 0,
      hasLoss: validation !== undefined,
      validation: validation ?? unknown,
      // Whether a client's figures are at averaged weights is its own business.
      averagedValidation: validation ?? unknown,
      watch: this.#watch,
    };
    const outerStep = this.#loop.settle(this.#loop.propose(window));
    return { ...outerStep, trainLoss: trainLoss ?? Number.NaN, validation, averagedValidation: undefined };
  }

  get #ending(): TrialEnding | undefined {
    const { done, ending, state } = this.#loop;
    if (!done) return undefined;
    const note = fallbackNote(state.fallbackWindows, state.outerStepsDone);
    return ending === undefined
      ? { state: TrialState.SUCCEEDED, reason: `all ${state.stepsDone} inner steps done${note}` }
      : { state: TrialState.INFEASIBLE, reason: `${ending.reason}${note}` };
  }

  /** Rows of the window before may come again: perhaps the answer to them was lost. */
  async #repeated(report: Report): Promise<Outcome> {
    const { outerStepsDone } = this.#loop.state;
    const outerStep = await this.#outerStep(outerStepsDone);
    const { hypergradients } = outerStep?.window ?? {};
    if (outerStep === undefined || this.#lastPoint === undefined) {
      throw new TypeError(`outer step ${outerStepsDone} of ${this.#claimed.trial.name} is not in the store`);
    }
    const derivatives = this.#space.derivatives(this.#lastPoint);
    const size = hypergradientsOf(this.#study.method);
    const window = new ReportedWindow(outerStepsDone, size, this.#components, { derivatives });
    if (hypergradients !== undefined) window.restore(Report.fromPartial({ hypergradients }));
    window.take(report);
    return window.reachesEnd(report)
      ? { outerStep, ended: undefined }
      : { position: { ...this.#stored, values: [] } };
  }

  async #outerStep(index: number): Promise<OuterStep | undefined> {
    if (index === 0) return undefined;
    const { study, trial } = parseTrialName(this.#claimed.trial.name, 'trial');
    return this.#parts.store.getOuterStep(outerStepName(study, trial, index));
  }
}
