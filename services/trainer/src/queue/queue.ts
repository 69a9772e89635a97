/** The queue of one server process: which trial is trained when, first come, first served. */

import { setTimeout as sleep } from 'node:timers/promises';
import { RunMode, type Study, StudyState, TrialState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { EventHub } from '../events/hub.ts';
import type { Actor } from '../lifecycle/table.ts';
import type { PauseCause } from '../lifecycle/transitions.ts';
import type { Notice } from '../notices/notice.ts';
import type { Notices } from '../notices/notices.ts';
import { studyOf } from '../resource/names.ts';
import { StoreUnavailableError } from '../store/errors.ts';
import { isLost } from '../store/lost.ts';
import type { LiveTrial, ResumeRequest, StartedTrial, Store } from '../store/store.ts';
import type { StopSignals } from '../worker/attempt.ts';
import { nextTurn } from './turn.ts';

export interface LocalQueueParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly notices: Notices;
  readonly log: Logger;
  readonly maxRunningTrials: number;
  /** Trains a claimed trial until it has ended, waits again or is PAUSED in the store. */
  readonly train: (started: StartedTrial, stop: StopSignals) => Promise<void>;
  /** Told of a trial that was cancelled while it waited. */
  readonly dropped: (trial: string) => Promise<void>;
}

interface Running {
  readonly trial: string;
  readonly now: AbortController;
  readonly atBoundary: AbortController;
  readonly done: Promise<void>;
  /** How many trials of its study may run at a time; undefined until it is claimed. */
  atATime: number | undefined;
}

export class LocalQueue {
  readonly #parts: LocalQueueParts;
  /** Names of trials, the next one first. */
  #waiting = new Set<string>();
  readonly #running = new Set<Running>();
  #started = false;
  readonly #stopWatching: () => void;
  readonly #stopListening: () => void;

  constructor(parts: LocalQueueParts) {
    this.#parts = parts;
    this.#stopWatching = parts.store.health.onChange(() => void this.#afterChange());
    this.#stopListening = parts.notices.subscribe((notice, origin) => {
      if (origin === 'elsewhere') void this.#heard(notice);
    });
  }

  /** Takes up what an earlier server left: waiting trials wait again, and trials that were running wait to go on. */
  async recover(): Promise<void> {
    await this.#takeUp('the server ended');
  }

  /** Begins to train what waits. */
  start(): void {
    this.#started = true;
    this.#startWaiting();
  }

  /** Queues trials that are stored as PENDING. */
  submit(trials: readonly string[]): void {
    for (const trial of trials) this.#waiting.add(trial);
    this.#startWaiting();
    for (const study of new Set(trials.map(studyOf))) this.#parts.notices.publish({ kind: 'work', study });
  }

  /**
   * Cancels a study with its trials; resolves with the cancelled study, or with the study as it is when it has ended, once
   * nothing of it trains any more.
   * @throws NotFoundError
   */
  async cancel(name: string): Promise<Study> {
    const study = await this.#parts.store.cancelStudy(name);
    this.#parts.hub.changed(name);
    this.#parts.notices.publish({ kind: 'halted', study: name });
    await Promise.all(this.#removeWaiting(name).map(this.#parts.dropped));
    await Promise.all(
      this.#runningOf(name).map(async ({ now, done }) => {
        now.abort('the study was cancelled');
        await done;
      }),
    );
    return study;
  }

  /**
   * Pauses a study. Trials of it that run leave their processes at their next boundaries.
   * @throws NotFoundError, StateError when it has ended.
   */
  async pause(name: string): Promise<Study> {
    const study = await this.#parts.store.pauseStudy(name);
    this.#parts.hub.changed(name);
    this.#parts.notices.publish({ kind: 'halted', study: name });
    this.#leave(name);
    return study;
  }

  /** Lets trials of a study go on. @throws as {@link Store.resumeStudy} */
  async resume(request: ResumeRequest): Promise<Study> {
    const { study, trials } = await this.#parts.store.resumeStudy(request);
    this.#parts.hub.changed(study.name);
    // A client trains those of an EXTERNAL study.
    if (study.mode !== RunMode.EXTERNAL) this.submit(trials);
    return study;
  }

  /** Lets a trial go on that is PAUSED for this cause. Tells whether it was. @throws NotFoundError */
  async resumeTrial(name: string, cause: PauseCause, by: Actor): Promise<boolean> {
    const resumed = await this.#parts.store.resumeTrial(name, cause, by);
    if (resumed) {
      this.#parts.hub.changed(studyOf(name));
      this.submit([name]);
    }
    return resumed;
  }

  /**
   * Stops all training; trials that ran and trials that wait are left to the next server.
   * @param graceMs so long trials that run may go on until their next boundary.
   */
  async stop(graceMs = 0): Promise<void> {
    this.#started = false;
    this.#stopWatching();
    this.#stopListening();
    const running = [...this.#running];
    const all = Promise.all(running.map(({ done }) => done));
    const why = 'the server stopped';
    if (graceMs > 0) {
      for (const { atBoundary } of running) atBoundary.abort(why);
      const patience = new AbortController();
      await Promise.race([all, sleep(graceMs, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
    }
    for (const { now } of running) now.abort(why);
    await all;
  }

  /** What was asked of the store while it could not answer may have been done all the same. */
  async #afterChange(): Promise<void> {
    const { store, log } = this.#parts;
    if (!store.health.writable) return;
    try {
      await this.#takeUp('the store could not be reached');
    } catch (error) {
      const told = error instanceof StoreUnavailableError ? { reason: error.message } : { err: error };
      log.warn(told, 'trials could not be looked for');
    }
    this.#startWaiting();
  }

  /** Takes up the trials of the store that should be here and are not. */
  async #takeUp(why: string): Promise<void> {
    const { store, hub } = this.#parts;
    const running = () => new Set([...this.#running].map(({ trial }) => trial));
    for (const live of await store.listLiveTrials()) {
      if (running().has(live.trial.name)) continue;
      if ((await this.#released(live, why)) === TrialState.PENDING) this.#waiting.add(live.trial.name);
      hub.changed(studyOf(live.trial.name));
    }
  }

  /** The state of a trial once nobody has it; undefined when that cannot be. */
  async #released({ claim, trial }: LiveTrial, why: string): Promise<TrialState | undefined> {
    if (trial.state !== TrialState.RUNNING) return trial.state;
    try {
      return (await this.#parts.store.interruptTrial(claim, { why, crashed: false })).state;
    } catch (error) {
      if (isLost(error)) return undefined;
      throw error;
    }
  }

  /** What another process has stored. */
  async #heard(notice: Notice): Promise<void> {
    const { log } = this.#parts;
    try {
      if (notice.kind === 'halted') await this.#lookAt(notice.study);
      if (notice.kind === 'work' || notice.kind === 'everything') await this.#lookForWork();
      if (notice.kind === 'everything') {
        const studies = new Set([...this.#running].map(({ trial }) => studyOf(trial)));
        await Promise.all([...studies].map((study) => this.#lookAt(study)));
      }
    } catch (error) {
      log.warn({ err: error, notice: notice.kind }, 'what another process has done could not be looked at');
    }
  }

  /** Trials of a study that is not ACTIVE any more stop, as they would have been told to here. */
  async #lookAt(study: string): Promise<void> {
    if (this.#runningOf(study).length === 0) return;
    const state = (await this.#parts.store.getStudy(study))?.state;
    if (state === StudyState.ACTIVE) return;
    if (state === StudyState.PAUSED) return this.#leave(study);
    this.#removeWaiting(study);
    for (const { now } of this.#runningOf(study)) now.abort('the study was cancelled');
  }

  async #lookForWork(): Promise<void> {
    for (const { trial } of await this.#parts.store.listLiveTrials()) {
      if (trial.state === TrialState.PENDING) this.#waiting.add(trial.name);
    }
    this.#startWaiting();
  }

  /** None of a study's trials starts, and those that run leave at their next boundaries. */
  #leave(study: string): void {
    this.#removeWaiting(study);
    for (const { atBoundary } of this.#runningOf(study)) atBoundary.abort('paused by a caller');
  }

  #runningOf(study: string): Running[] {
    return [...this.#running].filter(({ trial }) => studyOf(trial) === study);
  }

  /** Returns those that were removed. */
  #removeWaiting(study: string): string[] {
    const removed = [...this.#waiting].filter((trial) => studyOf(trial) === study);
    for (const trial of removed) this.#waiting.delete(trial);
    return removed;
  }

  #startWaiting(): void {
    const { store, maxRunningTrials } = this.#parts;
    // What cannot be stored is not begun.
    while (this.#started && store.health.writable && this.#running.size < maxRunningTrials) {
      const trial = nextTurn(this.#waiting, this.#running);
      if (trial === undefined) return;
      this.#waiting.delete(trial);
      const now = new AbortController();
      const atBoundary = new AbortController();
      const known = (atATime: number) => {
        running.atATime = atATime;
        this.#startWaiting();
      };
      const done = this.#run(trial, { now: now.signal, atBoundary: atBoundary.signal }, known)
        .catch((error: unknown) => this.#couldNotEnd(trial, error))
        .finally(() => {
          this.#running.delete(running);
          this.#startWaiting();
        });
      const running: Running = { trial, now, atBoundary, done, atATime: undefined };
      this.#running.add(running);
    }
  }

  /** @param known told how many trials of its study may run at a time. */
  async #run(name: string, stop: StopSignals, known: (atATime: number) => void): Promise<void> {
    const { store, hub, train } = this.#parts;
    let started: StartedTrial;
    try {
      started = await store.startTrial(name);
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.#waitFirst(name);
      // Cancelled, paused or deleted while it waited: there is nothing to do.
      else if (!isLost(error)) throw error;
      return;
    }
    known(started.study.sampling?.maxRunningTrials || Number.POSITIVE_INFINITY);
    hub.changed(started.study.name);
    await train(started, stop);
    if ((await store.getTrial(name))?.state === TrialState.PENDING) this.#waitFirst(name);
  }

  /** It stays as it is in the store, and waits again there once a server can write. */
  #couldNotEnd(trial: string, error: unknown): void {
    const { log } = this.#parts;
    const ids = { study: studyOf(trial), trial };
    if (error instanceof StoreUnavailableError)
      log.warn({ ...ids, reason: error.message }, 'a trial could not be ended');
    else log.error({ ...ids, err: error }, 'a trial could not be ended');
  }

  #waitFirst(trial: string): void {
    this.#waiting = new Set([trial, ...this.#waiting]);
  }
}
