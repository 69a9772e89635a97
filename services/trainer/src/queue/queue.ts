/** The queue of one server process: which trial is trained when, first come, first served. */

import { type Study, TrialState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { EventHub } from '../events/hub.ts';
import { NotFoundError, StateError } from '../resource/errors.ts';
import { studyOf } from '../resource/names.ts';
import { StoreUnavailableError } from '../store/errors.ts';
import type { StartedTrial, Store } from '../store/store.ts';

const SERVER_STOPPED = 'the server stopped while the trial was running';

export interface LocalQueueParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly log: Logger;
  readonly maxRunningTrials: number;
  /** Trains a claimed trial until it has ended in the store; ends it at once when the signal is aborted, for its reason. */
  readonly train: (started: StartedTrial, stop: AbortSignal) => Promise<void>;
}

interface Running {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export class LocalQueue {
  readonly #parts: LocalQueueParts;
  /** Names of trials, the next one first. */
  readonly #waiting: string[] = [];
  readonly #running = new Map<string, Running>();
  #started = false;
  readonly #stopWatching: () => void;

  constructor(parts: LocalQueueParts) {
    this.#parts = parts;
    this.#stopWatching = parts.store.health.onChange(() => this.#startWaiting());
  }

  /** Takes up what an earlier server left: waiting trials wait again, trials that were running have failed. */
  async recover(): Promise<void> {
    const { store } = this.#parts;
    for (const { claim, trial } of await store.listUnfinishedTrials()) {
      if (trial.state === TrialState.PENDING) this.#waiting.push(trial.name);
      else await store.endTrial(claim, { state: TrialState.FAILED, reason: SERVER_STOPPED });
    }
  }

  /** Begins to train what waits. */
  start(): void {
    this.#started = true;
    this.#startWaiting();
  }

  /** Queues trials that are stored as PENDING. */
  submit(trials: readonly string[]): void {
    this.#waiting.push(...trials);
    this.#startWaiting();
  }

  /**
   * Cancels a study with its trials; resolves with the cancelled study, or with the study as it is when it has ended, once
   * nothing of it trains any more.
   * @throws NotFoundError
   */
  async cancel(name: string): Promise<Study> {
    const study = await this.#parts.store.cancelStudy(name);
    this.#parts.hub.changed(name);
    const waiting = this.#waiting.filter((trial) => studyOf(trial) !== name);
    this.#waiting.splice(0, Number.POSITIVE_INFINITY, ...waiting);
    const running = [...this.#running].filter(([trial]) => studyOf(trial) === name);
    await Promise.all(
      running.map(async ([, { stop, done }]) => {
        stop.abort('the study was cancelled');
        await done;
      }),
    );
    return study;
  }

  /** Stops all training; running trials end as FAILED, waiting ones wait for the next server. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#stopWatching();
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.abort(SERVER_STOPPED);
    await Promise.all(running.map(({ done }) => done));
  }

  #startWaiting(): void {
    const { store, maxRunningTrials, log } = this.#parts;
    // What cannot be stored is not begun.
    while (this.#started && store.health.writable && this.#running.size < maxRunningTrials) {
      const name = this.#waiting.shift();
      if (name === undefined) return;
      const stop = new AbortController();
      const done = this.#run(name, stop.signal)
        .catch((error: unknown) => log.error({ err: error, trial: name }, 'trial could not be ended'))
        .finally(() => {
          this.#running.delete(name);
          this.#startWaiting();
        });
      this.#running.set(name, { stop, done });
    }
  }

  async #run(name: string, stop: AbortSignal): Promise<void> {
    const { store, hub, train } = this.#parts;
    let started: StartedTrial;
    try {
      started = await store.startTrial(name);
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.#waiting.unshift(name);
      // Cancelled or deleted while it waited: there is nothing to do.
      else if (!(error instanceof StateError || error instanceof NotFoundError)) throw error;
      return;
    }
    hub.changed(started.study.name);
    await train(started, stop);
  }
}
