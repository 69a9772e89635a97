/**
 * Trains what waits: claims trials while there is room, keeps its lease, and lets go of what it has lost. What is trained here
 * is trained by processes of their own: nothing in this one keeps it from renewing its lease.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { StudyState } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { EventHub } from '../events/hub.ts';
import type { Notice } from '../notices/notice.ts';
import type { Notices } from '../notices/notices.ts';
import { studyOf } from '../resource/names.ts';
import { StoreUnavailableError } from '../store/errors.ts';
import type { Claim, StartedTrial, Store } from '../store/store.ts';
import type { StopSignals } from '../worker/attempt.ts';
import type { Trained } from '../worker/outcome.ts';
import { Lease } from './lease.ts';
import { sometimes } from './sometimes.ts';

/** Whoever has room looks for work so often by itself: notices may be lost. */
const LOOK_EVERY_MS = 5_000;
/** A study whose trials cannot be trained here is left to others for so long. */
const LEFT_TO_OTHERS_MS = 600_000;
/** So many of them are remembered. */
const MOST_LEFT = 64;

export interface TrialWorkerParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly notices: Notices;
  readonly log: Logger;
  /** Which no other worker has that lives. */
  readonly name: string;
  readonly leaseMs: number;
  readonly maxRunningTrials: number;
  /** Of one owner, wherever they run. */
  readonly maxOwnerRunningTrials?: number | undefined;
  /** Trains a claimed trial until it has ended, waits again or is PAUSED in the store. */
  readonly train: (started: StartedTrial, stop: StopSignals) => Promise<Trained>;
}

interface Running {
  readonly claim: Claim;
  readonly now: AbortController;
  readonly atBoundary: AbortController;
  readonly done: Promise<void>;
}

export class TrialWorker {
  readonly #parts: TrialWorkerParts;
  /** Undefined where nobody else could have what is claimed. */
  readonly #lease: Lease | undefined;
  readonly #running = new Set<Running>();
  /** Trials of which nobody knows why they could not be ended: they stay as they are. */
  readonly #stuck = new Set<string>();
  /** Studies whose trials cannot be trained here, with the time until which that is remembered. */
  readonly #leftToOthers = new Map<string, number>();
  readonly #cleanUp = new DisposableStack();
  #started = false;
  /** Why nothing trains any more. */
  #stopping: string | undefined;
  /** Whether there may be something that the claim in flight does not see. */
  #again = false;
  #looking: Promise<void> | undefined;
  /** Studies that were halted while a claim was in flight. */
  readonly #haltedMeanwhile = new Map<string, StudyState>();

  constructor(parts: TrialWorkerParts) {
    this.#parts = parts;
    const { store, notices } = parts;
    this.#lease = notices.shared
      ? new Lease(parts.leaseMs, {
          renew: (leaseMs) => this.#renew(leaseMs),
          passed: () => this.#letGo('its lease ended before it could be renewed'),
        })
      : undefined;
    this.#cleanUp.defer(store.health.onChange(() => this.#look()));
    this.#cleanUp.defer(
      notices.subscribe((notice, origin) => void this.#heard(notice, origin === 'elsewhere')),
    );
  }

  /** Begins to train what waits. */
  start(): void {
    this.#started = true;
    if (this.#parts.notices.shared) this.#cleanUp.use(sometimes(LOOK_EVERY_MS, () => this.#look()));
    this.#look();
  }

  /**
   * Trains one trial. Resolves with its name once it does not train any more; with undefined when none waits, or this worker
   * cannot train what does.
   * @throws StoreError where the store cannot say whether one waits
   */
  async trainOne(): Promise<string | undefined> {
    for (;;) {
      const started = await this.#claim();
      if (started === undefined) return undefined;
      const { trial } = started.claim;
      await this.#begin(started).done;
      if (!this.#leftToOthers.has(studyOf(trial))) return trial;
    }
  }

  /** Names of the trials of a study that train here. */
  trialsOf(study: string): string[] {
    return this.#of(study).map(({ claim }) => claim.trial);
  }

  /** A study is not ACTIVE any more: its trials leave at their next boundaries, or at once when it has ended. */
  halt(study: string, state: StudyState): void {
    if (this.#looking !== undefined) this.#haltedMeanwhile.set(study, state);
    for (const running of this.#of(study)) halt(running, state);
  }

  /** Resolves when nothing of a study trains here. */
  async left(study: string): Promise<void> {
    // One more may be about to begin.
    await this.#looking;
    await Promise.all(this.#of(study).map(({ done }) => done));
  }

  /**
   * Stops all training; trials that ran wait for others.
   * @param graceMs so long trials that run may go on until their next boundary.
   */
  async stop(graceMs = 0, why = 'the server stopped'): Promise<void> {
    this.#started = false;
    this.#cleanUp.dispose();
    const all = async () => {
      await this.#looking;
      await Promise.all([...this.#running].map(({ done }) => done));
    };
    if (graceMs > 0) {
      for (const { atBoundary } of this.#running) atBoundary.abort(why);
      const patience = new AbortController();
      await Promise.race([all(), sleep(graceMs, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
    }
    this.#stopping = why;
    this.#letGo(why);
    await all();
    this.#lease?.end();
  }

  get #hasRoom(): boolean {
    const { store, maxRunningTrials } = this.#parts;
    // What cannot be stored is not begun.
    return this.#started && store.health.writable && this.#running.size < maxRunningTrials;
  }

  /** Begins what waits, as far as there is room. */
  #look(): void {
    this.#again = true;
    if (!this.#hasRoom) return;
    this.#looking ??= this.#claimAll().finally(() => {
      this.#looking = undefined;
      if (this.#again) this.#look();
    });
  }

  async #claimAll(): Promise<void> {
    while (this.#again && this.#hasRoom) {
      this.#again = false;
      this.#haltedMeanwhile.clear();
      const started = await this.#claimUnlessAway();
      if (started === undefined) continue;
      this.#again = true;
      const running = this.#begin(started);
      const state = this.#haltedMeanwhile.get(started.study.name);
      if (state !== undefined) halt(running, state);
    }
  }

  async #claimUnlessAway(): Promise<StartedTrial | undefined> {
    try {
      return await this.#claim();
    } catch (error) {
      // It is looked for again when the store can write.
      if (!(error instanceof StoreUnavailableError))
        this.#parts.log.error({ err: error }, 'no trial could be claimed');
      return undefined;
    }
  }

  async #claim(): Promise<StartedTrial | undefined> {
    const { store, name, leaseMs, maxOwnerRunningTrials } = this.#parts;
    const holding = [...this.#running].map(({ claim }) => claim.trial).concat(...this.#stuck);
    const since = performance.now();
    const request = { worker: name, leaseMs, holding, except: this.#toOthers(), maxOwnerRunningTrials };
    const started = await store.claimTrial(request);
    if (started !== undefined) this.#lease?.begin(since);
    return started;
  }

  #begin(started: StartedTrial): Running {
    const { hub, train } = this.#parts;
    const { claim, study } = started;
    const now = new AbortController();
    const atBoundary = new AbortController();
    if (this.#stopping !== undefined) now.abort(this.#stopping);
    hub.changed(study.name);
    const done = train(started, { now: now.signal, atBoundary: atBoundary.signal })
      .then((outcome) => outcome && this.#leaveToOthers(study.name))
      .catch((error: unknown) => this.#couldNotEnd(claim.trial, error))
      .finally(() => {
        // It may wait again, or a limit has room for another.
        this.#parts.notices.publish({ kind: 'work', study: study.name });
        this.#running.delete(running);
        if (this.#running.size === 0) this.#lease?.end();
        this.#look();
      });
    const running: Running = { claim, now, atBoundary, done };
    this.#running.add(running);
    return running;
  }

  async #renew(leaseMs: number): Promise<void> {
    const { store, name, log } = this.#parts;
    const asked = [...this.#running];
    const held = await store.renewLease({ worker: name, leaseMs, claims: asked.map(({ claim }) => claim) });
    for (const [i, { study }] of held.entries()) {
      const running = asked[i] as Running;
      if (study === undefined && this.#running.has(running) && !running.now.signal.aborted) {
        log.warn({ trial: running.claim.trial }, 'a trial is no longer ours, and its process is ended');
        running.now.abort('another worker may train it');
      }
      if (study !== undefined && study !== StudyState.ACTIVE) halt(running, study);
    }
  }

  async #heard(notice: Notice, isFromElsewhere: boolean): Promise<void> {
    const { log } = this.#parts;
    if (notice.kind === 'work' || notice.kind === 'everything') this.#look();
    if (!isFromElsewhere) return;
    try {
      if (notice.kind === 'halted') await this.#lookAt(notice.study);
      if (notice.kind === 'everything') {
        const studies = new Set([...this.#running].map(({ claim }) => studyOf(claim.trial)));
        await Promise.all([...studies].map((study) => this.#lookAt(study)));
      }
    } catch (error) {
      log.warn({ err: error, notice: notice.kind }, 'what another process has done could not be looked at');
    }
  }

  /** Trials of a study that is not ACTIVE any more stop. */
  async #lookAt(study: string): Promise<void> {
    if (this.#of(study).length === 0 && this.#looking === undefined) return;
    const { state = StudyState.CANCELLED } = (await this.#parts.store.getStudy(study)) ?? {};
    if (state !== StudyState.ACTIVE) this.halt(study, state);
  }

  #letGo(why: string): void {
    for (const { now } of this.#running) now.abort(why);
  }

  #leaveToOthers(study: string): void {
    this.#leftToOthers.delete(study);
    this.#leftToOthers.set(study, performance.now() + LEFT_TO_OTHERS_MS);
    const [first] = this.#leftToOthers.keys();
    if (this.#leftToOthers.size > MOST_LEFT && first !== undefined) this.#leftToOthers.delete(first);
  }

  #toOthers(): string[] {
    const now = performance.now();
    for (const [study, until] of this.#leftToOthers) if (until <= now) this.#leftToOthers.delete(study);
    return [...this.#leftToOthers.keys()];
  }

  #of(study: string): Running[] {
    return [...this.#running].filter(({ claim }) => studyOf(claim.trial) === study);
  }

  /** It stays as it is in the store; where that could not be reached, it is given to this worker again, or to another. */
  #couldNotEnd(trial: string, error: unknown): void {
    const { log } = this.#parts;
    const ids = { study: studyOf(trial), trial };
    if (error instanceof StoreUnavailableError)
      log.warn({ ...ids, reason: error.message }, 'a trial could not be ended');
    else {
      this.#stuck.add(trial);
      log.error({ ...ids, err: error }, 'a trial could not be ended');
    }
  }
}

function halt({ now, atBoundary }: Running, state: StudyState): void {
  if (state === StudyState.PAUSED) atBoundary.abort('paused by a caller');
  else now.abort('the study was cancelled');
}
