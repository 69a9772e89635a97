/**
 * What callers do with trials that wait and run, wherever these are trained: the store's `claimTrial` decides whose turn it is,
 * and workers are woken (`worker.ts`).
 */

import { RunMode, type Study, StudyState, TrialState } from '@glocal/proto/glocal/v1/study';
import type { EventHub } from '../events/hub.ts';
import type { Actor } from '../lifecycle/table.ts';
import type { PauseCause } from '../lifecycle/transitions.ts';
import type { Notices } from '../notices/notices.ts';
import { studyOf } from '../resource/names.ts';
import type { ResumeRequest, Store } from '../store/store.ts';
import type { TrialWorker } from './worker.ts';

export interface TrialQueueParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly notices: Notices;
  /** Of this process; undefined where nothing trains. */
  readonly worker: TrialWorker | undefined;
  /** Told of a trial that was cancelled and that this process does not train. */
  readonly dropped: (trial: string) => Promise<void>;
}

export class TrialQueue {
  readonly #parts: TrialQueueParts;

  constructor(parts: TrialQueueParts) {
    this.#parts = parts;
  }

  /** Trials are stored that wait. */
  submit(trials: readonly string[]): void {
    for (const study of new Set(trials.map(studyOf))) this.#parts.notices.publish({ kind: 'work', study });
  }

  /**
   * Cancels a study with its trials; resolves with the cancelled study, or with the study as it is when it has ended, once
   * this process trains nothing of it any more.
   * @throws NotFoundError
   */
  async cancel(name: string): Promise<Study> {
    const { store, worker, dropped } = this.#parts;
    const study = await store.cancelStudy(name);
    const here = this.#halted(name, study.state);
    await worker?.left(name);
    if (study.state !== StudyState.CANCELLED) return study;
    const { records } = await store.listTrials(name);
    const elsewhere = records.filter(
      (trial) => trial.state === TrialState.CANCELLED && !here.has(trial.name),
    );
    await Promise.all(elsewhere.map((trial) => dropped(trial.name)));
    return study;
  }

  /**
   * Pauses a study. Trials of it that run leave their processes at their next boundaries.
   * @throws NotFoundError, StateError when it has ended.
   */
  async pause(name: string): Promise<Study> {
    const study = await this.#parts.store.pauseStudy(name);
    this.#halted(name, study.state);
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

  /** Tells everybody; returns the names of its trials that train here. */
  #halted(study: string, state: StudyState): ReadonlySet<string> {
    const { hub, notices, worker } = this.#parts;
    hub.changed(study);
    notices.publish({ kind: 'halted', study });
    const here = new Set(worker?.trialsOf(study));
    worker?.halt(study, state);
    return here;
  }
}
