/** A study on the server: its state, its events, its trials and what came out of them. */

import type { OuterStep as OuterStepMessage } from '@glocal/proto/glocal/v1/study';
import {
  type ResumePoint as ResumePointMessage,
  StudyServiceService,
} from '@glocal/proto/glocal/v1/study_service';
import { unknownOf } from '@glocal/proto/unknown-fields';
import { limit } from './abort.ts';
import {
  callOptions,
  comparedStudies,
  deleteOptions,
  driveOptions,
  listOptions,
  outerStepIndex,
  outerStepsOptions,
  reanalyzeOptions,
  reportOptions,
  resultOptions,
  resumeOptions,
  trialOptions,
  watchOptions,
} from './check/calls.ts';
import { check } from './check/rule.ts';
import { type Comparison, compareStudies } from './comparison.ts';
import { type DriveOptions, drive } from './drive.ts';
import type { DrivenWindow } from './driven-window.ts';
import { type StudyState, verdictName } from './enums.ts';
import { NotFoundError } from './error.ts';
import type { StudyEvent } from './events.ts';
import type { CallOptions } from './options.ts';
import { readOuterStep } from './outer-step-parts.ts';
import { collect, type ListOptions, pages } from './pages.ts';
import { decodeReanalysis, type Reanalysis, type ReanalyzeOptions } from './reanalysis.ts';
import { type ReportOptions, ReportSession } from './report-session.ts';
import {
  bestTrial,
  type ResultOptions,
  type StudyResult,
  type TrialResult,
  VerdictCounter,
  type VerdictCounts,
} from './result.ts';
import { joinSchedule, type Schedule } from './schedule.ts';
import { decodeSnapshot, hasEnded, type StudySnapshot } from './snapshot.ts';
import type { ParameterMap, Space } from './space.ts';
import type { Choices } from './space-values.ts';
import { encodeDmdOptions } from './spec-codec.ts';
import type { Transport } from './transport.ts';
import {
  decodeOuterStep,
  decodeTrial,
  lacksVectors,
  type OuterStep,
  type Trial,
  type TrialSpace,
} from './trial.ts';
import { hasChoices } from './trial-space.ts';
import { type WatchOptions, watch } from './watch.ts';

/** Which trial is meant. */
export interface TrialOptions extends CallOptions {
  /** Its position among the study's trials, or its name. @default 0, the only one unless the study has several */
  readonly trial?: number | string | undefined;
}

/** Options of `study.outerSteps()`. */
export interface OuterStepsOptions extends TrialOptions, ListOptions {
  /** Whether the windows come with their rows. @default false */
  readonly includeWindows?: boolean | undefined;
}

/** Where a trial goes on. */
export interface ResumePoint {
  /** Its position among the study's trials, or its name. */
  readonly trial: number | string;
  /** One of the trial's `checkpoints`. Outer steps after it are trained again and not stored again. @default the newest */
  readonly outerStep?: number | undefined;
}

/** Options of `study.resume()`. */
export interface ResumeOptions extends CallOptions {
  /** PAUSED or FAILED ones. @default all that are PAUSED */
  readonly trials?: readonly ResumePoint[] | undefined;
}

/** Options of `study.delete()`. */
export interface DeleteOptions extends CallOptions {
  /** Cancels the study first when it has not ended, which is refused otherwise. @default false */
  readonly force?: boolean | undefined;
}

/**
 * A study. State, reason and update time are those last seen; `refresh()`, `watch()` and what changes it
 * renew them. Every method throws a GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, for arguments that cannot be sent.
 */
export class Study<P extends ParameterMap = ParameterMap> implements StudySnapshot<P> {
  readonly name: string;
  readonly displayName: string;
  /** As a mapped type, with which the compiler compares two studies field by field. */
  readonly space: Space<{ readonly [Name in keyof P]: P[Name] }>;
  readonly problem: StudySnapshot<P>['problem'];
  readonly training: StudySnapshot<P>['training'];
  readonly method: StudySnapshot<P>['method'];
  readonly sampling: StudySnapshot<P>['sampling'];
  readonly mode: StudySnapshot<P>['mode'];
  readonly decisionTimeout: number;
  readonly labels: StudySnapshot<P>['labels'];
  readonly priority: number;
  readonly owner: string;
  readonly state: StudyState;
  readonly stateReason: string;
  readonly predictedCost: number;
  readonly createTime: Date;
  readonly updateTime: Date;
  readonly #transport: Transport;
  #trialChoices: Promise<ReadonlyMap<string, Choices<P>>> | undefined;

  /** @internal */
  constructor(transport: Transport, snapshot: StudySnapshot<P>) {
    this.#transport = transport;
    this.name = snapshot.name;
    this.displayName = snapshot.displayName;
    this.space = snapshot.space;
    this.problem = snapshot.problem;
    this.training = snapshot.training;
    this.method = snapshot.method;
    this.sampling = snapshot.sampling;
    this.mode = snapshot.mode;
    this.decisionTimeout = snapshot.decisionTimeout;
    this.labels = snapshot.labels;
    this.priority = snapshot.priority;
    this.owner = snapshot.owner;
    this.state = snapshot.state;
    this.stateReason = snapshot.stateReason;
    this.predictedCost = snapshot.predictedCost;
    this.createTime = snapshot.createTime;
    this.updateTime = snapshot.updateTime;
    // For a copy that is sent to the server that said more than this version knows.
    Object.assign(this, unknownOf(snapshot));
  }

  /** Whether nothing more will happen to it. */
  get ended(): boolean {
    return hasEnded(this.state);
  }

  /** Asks the server for the study's state. */
  async refresh(options?: CallOptions): Promise<this> {
    check([callOptions, options, 'options']);
    const { name } = this;
    return this.#renew(
      decodeSnapshot(await this.#transport.unary(StudyServiceService.getStudy, { name }, options)),
    );
  }

  /**
   * Its trials stop at their next outer-step boundary and keep a checkpoint. Pausing a PAUSED study changes nothing.
   * @throws GlocalError FAILED_PRECONDITION when it has ended
   */
  async pause(options?: CallOptions): Promise<this> {
    check([callOptions, options, 'options']);
    const { name } = this;
    return this.#renew(
      decodeSnapshot(await this.#transport.unary(StudyServiceService.pauseStudy, { name }, options)),
    );
  }

  /**
   * Goes on with a PAUSED study, or with the trials named, from checkpoints that are kept. Resuming an ACTIVE study changes
   * nothing.
   * @throws GlocalError FAILED_PRECONDITION when it has ended, unless `trials` names FAILED ones
   */
  async resume(options: ResumeOptions = {}): Promise<this> {
    check([resumeOptions, options, 'options']);
    const { trials: points = [], ...call } = options;
    const { name } = this;
    const trials: ResumePointMessage[] = [];
    for (const { trial, outerStep = 0 } of points) {
      trials.push({ trial: await this.#trialName(trial, call), outerStep });
    }
    return this.#renew(
      decodeSnapshot(await this.#transport.unary(StudyServiceService.resumeStudy, { name, trials }, call)),
    );
  }

  /**
   * Deletes it with all that belongs to it. Deleting it again changes nothing.
   * @throws GlocalError FAILED_PRECONDITION when it has not ended, unless `force` is set
   */
  async delete(options: DeleteOptions = {}): Promise<void> {
    check([deleteOptions, options, 'options']);
    const { force = false, ...call } = options;
    await this.#transport.unary(StudyServiceService.deleteStudy, { name: this.name, force }, call);
  }

  /** Ends the study and its trials now. Cancelling an ended study changes nothing. */
  async cancel(options?: CallOptions): Promise<this> {
    check([callOptions, options, 'options']);
    const { name } = this;
    return this.#renew(
      decodeSnapshot(await this.#transport.unary(StudyServiceService.cancelStudy, { name }, options)),
    );
  }

  /**
   * What happens to the study, from its creation (or after a cursor) until it has ended. Connections that are lost are
   * made again: no stored event is missed and none comes twice. Leaving the loop ends the watch.
   */
  async *watch(options: WatchOptions = {}): AsyncGenerator<StudyEvent<P>, void, undefined> {
    check([watchOptions, options, 'options']);
    const { name, space } = this;
    const { signal, metadata } = options;
    const choices = async () =>
      hasChoices(space) ? this.#allChoices({ signal, metadata }) : new Map<string, Choices>();
    for await (const event of watch<P>(this.#transport, { name, space, choices }, options)) {
      if (event.type === 'study') this.#renew(event);
      else if (event.type === 'snapshot') this.#renew(event.study);
      yield event;
    }
  }

  /** Waits until the study has ended; then what came out of it. */
  async result(
    options: ResultOptions & { readonly schedules: false },
  ): Promise<StudyResult<P, Omit<TrialResult<P>, 'schedule'>>>;
  async result(options?: ResultOptions): Promise<StudyResult<P>>;
  async result(
    options: ResultOptions = {},
  ): Promise<StudyResult<P, Omit<TrialResult<P>, 'schedule'> & Partial<TrialResult<P>>>> {
    check([resultOptions, options, 'options']);
    const { schedules = true, timeout = Number.POSITIVE_INFINITY, ...watching } = options;
    const within = limit(options.signal, timeout, 'the study');
    const call = { signal: within.signal, metadata: options.metadata };
    try {
      const verdicts = new VerdictCounter();
      for await (const event of this.watch({ ...watching, ...call })) {
        if (event.type === 'outerStep' && event.verdict !== undefined)
          verdicts.add(event.trial, event.verdict);
      }
      await this.refresh(call);
      const trials = [];
      for await (const trial of this.trials(call)) {
        const result = { ...trial, verdicts: verdicts.of(trial.name) };
        trials.push(
          schedules ? { ...result, schedule: await this.schedule({ trial: trial.name, ...call }) } : result,
        );
      }
      return {
        state: this.state,
        stateReason: this.stateReason,
        trials,
        best: bestTrial(trials, this.method.evaluation),
      };
    } finally {
      within.release();
    }
  }

  /** How often each verdict came so far in a trial; all 0 unless the estimator is `glocal`. */
  async verdicts(options: TrialOptions = {}): Promise<VerdictCounts> {
    check([trialOptions, options, 'options']);
    const { trial, ...call } = options;
    const parent = await this.#trialName(trial, call);
    const counter = new VerdictCounter();
    for await (const { report } of this.#outerStepMessages({ parent, includeWindows: false }, call)) {
      if (report !== undefined) counter.add(parent, verdictName(report.verdict));
    }
    return counter.of(parent);
  }

  /**
   * This study beside others: what each found best, what it cost, and by how much the others are better or worse. Of studies that
   * have not ended it compares what there is.
   */
  async compare(others: Study | readonly Study[], options?: CallOptions): Promise<Comparison> {
    const list = others instanceof Study ? [others] : others;
    check([comparedStudies, list, 'others'], [callOptions, options, 'options']);
    return compareStudies([this, ...list], options);
  }

  /** Its trials, in the order of the points, and of the seeds at each point. */
  async *trials(options: ListOptions = {}): AsyncGenerator<Trial<P>, void, undefined> {
    check([listOptions, options, 'options']);
    const { pageSize = 0, ...call } = options;
    yield* pages(async (pageToken) => {
      const { trials, nextPageToken } = await this.#transport.unary(
        StudyServiceService.listTrials,
        { parent: this.name, pageSize, pageToken },
        call,
      );
      return { items: trials.map((trial) => decodeTrial(trial, this.space)), nextPageToken };
    });
  }

  /** One of its trials, as it is now. */
  async trial(options: TrialOptions = {}): Promise<Trial<P>> {
    check([trialOptions, options, 'options']);
    const { trial, ...call } = options;
    const name = await this.#trialName(trial, call);
    return decodeTrial(await this.#transport.unary(StudyServiceService.getTrial, { name }, call), this.space);
  }

  /** The outer steps of a trial so far, oldest first. A step that does not fit into a page is read by itself. */
  async *outerSteps(options: OuterStepsOptions = {}): AsyncGenerator<OuterStep<P>, void, undefined> {
    check([outerStepsOptions, options, 'options']);
    const { trial, includeWindows = false, pageSize = 0, ...call } = options;
    const parent = await this.#trialName(trial, call);
    const ofTrial = await this.#spaceOf(parent, call);
    for await (const step of this.#outerStepMessages({ parent, pageSize, includeWindows }, call)) {
      const { rows = 0, hypergradients } = step.window ?? {};
      // A step that is too large for a page comes without its rows, or even without its vectors.
      const incomplete =
        lacksVectors(step, ofTrial) || (includeWindows && rows > 0 && hypergradients?.length === 0);
      const whole = incomplete ? await readOuterStep(this.#transport, step.name, call) : step;
      yield decodeOuterStep<P>(whole, ofTrial);
    }
  }

  /** One outer step of a trial, with the rows of its window and the contributions of its modes, however large. */
  async outerStep(index: number, options: TrialOptions = {}): Promise<OuterStep<P>> {
    check([outerStepIndex, index, 'index'], [trialOptions, options, 'options']);
    const { trial, ...call } = options;
    const parent = await this.#trialName(trial, call);
    const ofTrial = await this.#spaceOf(parent, call);
    return decodeOuterStep<P>(
      await readOuterStep(this.#transport, `${parent}/outerSteps/${index}`, call),
      ofTrial,
    );
  }

  /**
   * Analyzes the window of an outer step again with other options. Nothing is trained and nothing is stored.
   * @throws GlocalError FAILED_PRECONDITION when the step has no window
   */
  async reanalyze(index: number, options: ReanalyzeOptions = {}): Promise<Reanalysis> {
    check([outerStepIndex, index, 'index'], [reanalyzeOptions, options, 'options']);
    const { trial, sigma = 0, dmd, ...call } = options;
    const name = `${await this.#trialName(trial, call)}/outerSteps/${index}`;
    const request = { name, sigma, dmd: dmd && encodeDmdOptions(dmd) };
    return decodeReanalysis(await this.#transport.unary(StudyServiceService.reanalyzeWindow, request, call));
  }

  /**
   * Drives a trial of a study whose `mode` is `driven`: each window comes with what the service would do about it, and waits
   * for a decision, until the trial has ended or is PAUSED. Lost connections are made again, and a program that was started
   * again goes on with the same call. Leaving the loop leaves the trial, which another client can drive then. A decision
   * counts once its promise has resolved.
   * @throws GlocalError ABORTED, reason TAKEN_OVER, when another client drives it now; FAILED_PRECONDITION, reason UNDECIDED,
   *   when the next window is asked for before the last one was decided.
   */
  async *drive(options: DriveOptions = {}): AsyncGenerator<DrivenWindow<P>, void, undefined> {
    check([driveOptions, options, 'options']);
    const { trial, ...driving } = options;
    const { signal, metadata } = options;
    const name = await this.#trialName(trial, { signal, metadata });
    const ofTrial = await this.#spaceOf(name, { signal, metadata });
    yield* drive<P>(this.#transport, { trial: name, ...ofTrial }, driving);
  }

  /**
   * Takes up a trial of a study whose `mode` is `external`, where it is: the client trains and reports its hypergradients,
   * the service says how the hyperparameters move.
   * @throws GlocalError FAILED_PRECONDITION for a study that is not external
   */
  async report(options: ReportOptions = {}): Promise<ReportSession<P>> {
    check([reportOptions, options, 'options']);
    const { trial, ...connection } = options;
    const { signal, metadata } = options;
    const name = await this.#trialName(trial, { signal, metadata });
    const ofTrial = await this.#spaceOf(name, { signal, metadata });
    return ReportSession.open<P>(this.#transport, name, ofTrial, connection);
  }

  /** The trajectory of a trial's hyperparameters so far. */
  async schedule(options: TrialOptions = {}): Promise<Schedule<P>> {
    check([trialOptions, options, 'options']);
    const { trial, ...call } = options;
    const name = await this.#trialName(trial, call);
    const ofTrial = await this.#spaceOf(name, call);
    return joinSchedule(
      (pageToken) =>
        this.#transport.unary(StudyServiceService.exportSchedule, { name, pageSize: 0, pageToken }, call),
      ofTrial,
    );
  }

  /** As they come in lists: one that is too large for a page comes without its rows, or even without its vectors. */
  #outerStepMessages(
    { pageSize = 0, ...list }: { parent: string; includeWindows: boolean; pageSize?: number },
    call: CallOptions,
  ): AsyncGenerator<OuterStepMessage, void, undefined> {
    return pages(async (pageToken) => {
      const request = { ...list, pageSize, pageToken };
      const { outerSteps, nextPageToken } = await this.#transport.unary(
        StudyServiceService.listOuterSteps,
        request,
        call,
      );
      return { items: outerSteps, nextPageToken };
    });
  }

  /** Only what changes in the life of a study. */
  #renew({ state, stateReason, updateTime }: StudySnapshot<P>): this {
    return Object.assign(this, { state, stateReason, updateTime });
  }

  /** @throws GlocalError NOT_FOUND when the study has no such trial. */
  async #trialName(trial: number | string = 0, call: CallOptions): Promise<string> {
    if (typeof trial === 'string') return trial;
    const names = [...(await this.#allChoices(call)).keys()];
    const name = names[trial];
    if (name === undefined) {
      throw new NotFoundError(`${this.name} has no trial ${trial}; it has ${names.length}, from 0 on`, {
        reason: 'NOT_FOUND',
      });
    }
    return name;
  }

  /** Without a call where there are no choices to ask for. */
  async #spaceOf(trial: string, call: CallOptions): Promise<TrialSpace> {
    const { space } = this;
    const choices = hasChoices(space) ? (await this.#allChoices(call)).get(trial) : undefined;
    return { space, choices: choices ?? {} };
  }

  /** Of its trials, by their names. Trials are made with the study, so that this is asked for once. */
  #allChoices(call: CallOptions): Promise<ReadonlyMap<string, Choices<P>>> {
    this.#trialChoices ??= this.#listChoices(call).catch((error: unknown) => {
      this.#trialChoices = undefined;
      throw error;
    });
    return this.#trialChoices;
  }

  async #listChoices(call: CallOptions): Promise<ReadonlyMap<string, Choices<P>>> {
    const trials = await collect(this.trials(call));
    return new Map(trials.map(({ name, choices }) => [name, choices]));
  }
}
