/** The queue of one server process: which trial is trained when, first come, first served. */

import { type Study, TrialState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { EventHub } from '../events/hub.ts';
import { NotFoundError, StateError } from '../resource/errors.ts';
import { studyOf } from '../resource/names.ts';
import { StoreUnavailableError } from '../store/errors.ts';
import type { StartedTrial, Store } from '../store/store.ts';
import { nextTurn } from './turn.ts';

export interface LocalQueueParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly log: Logger;
  readonly maxRunningTrials: number;
  /**
   * Trains a claimed trial until it is over or waits again in the store; interrupts it at once when the signal is aborted, for
   * its reason.
   */
  readonly train: (started: StartedTrial, stop: AbortSignal) => Promise<'over' | 'interrupted'>;
  /** Told of a trial that was cancelled while it waited. */
  readonly dropped: (trial: string) => Promise<void>;
}

interface Running {
  readonly trial: string;
  readonly stop: AbortController;
  readonly done: Promise<void>;
  /** How many trials of its study may run at a time; undefined until it is claimed. */
  atATime: number | undefined;
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

  /** Takes up what an earlier server left: waiting trials wait again, and trials that were running wait to go on. */
  async recover(): Promise<void> {
    const { store } = this.#parts;
    for (const { claim, trial } of await store.listUnfinishedTrials()) {
      if (trial.state !== TrialState.PENDING) {
        await store.interruptTrial(claim, { why: 'the server ended', crashed: false });
      }
      this.#waiting.push(trial.name);
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
    const waited = this.#waiting.splice(0, Number.POSITIVE_INFINITY);
    this.#waiting.push(...waited.filter((trial) => studyOf(trial) !== name));
    await Promise.all(waited.filter((trial) => studyOf(trial) === name).map(this.#parts.dropped));
    const running = [...this.#running].filter(([trial]) => studyOf(trial) === name);
    await Promise.all(
      running.map(async ([, { stop, done }]) => {
        stop.abort('the study was cancelled');
        await done;
      }),
    );
    return study;
  }

  /** Stops all training; trials that ran and trials that wait are left to the next server. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#stopWatching();
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.abort('the server stopped');
    await Promise.all(running.map(({ done }) => done));
  }

  #startWaiting(): void {
    const { store, maxRunningTrials, log } = this.#parts;
    // What cannot be stored is not begun.
    while (this.#started && store.health.writable && this.#running.size < maxRunningTrials) {
      const turn = nextTurn(this.#waiting, this.#running.values());
      const [name] = turn < 0 ? [] : this.#waiting.splice(turn, 1);
      if (name === undefined) return;
      const stop = new AbortController();
      const done = this.#run(name, stop.signal)
        .catch((error: unknown) => log.error({ err: error, trial: name }, 'trial could not be ended'))
        .finally(() => {
          this.#running.delete(name);
          this.#startWaiting();
        });
      this.#running.set(name, { trial: name, stop, done, atATime: undefined });
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
    const running = this.#running.get(name);
    if (running !== undefined) {
      running.atATime = started.study.sampling?.maxRunningTrials || Number.POSITIVE_INFINITY;
      this.#startWaiting();
    }
    hub.changed(started.study.name);
    if ((await train(started, stop)) === 'interrupted') this.#waiting.unshift(name);
  }
}
