/**
 * Proposals that wait for a decision, between who trains a trial and who drives it. They are in memory alone: after a crash
 * the window is trained again, and proposed again. Decisions are in the store.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Decision, OuterStep, Study } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { EventHub } from '../events/hub.ts';

import { milliseconds } from '../resource/duration.ts';
import { studyOf } from '../resource/names.ts';
import type { Claim, Store } from '../store/store.ts';

/** A decision that comes within this time is not waited for in the eyes of watchers: it costs the store nothing. */
const NOTED_AFTER_MS = 1_000;
/** The longest that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What the policy would do about a window. */
export interface WindowProposal {
  /** As it would be; whole. */
  readonly outerStep: OuterStep;
  /** Whether accepting it ends the trial as INFEASIBLE. */
  readonly givesUp: boolean;
  /** Whether training can go on from the window's end. */
  readonly sound: boolean;
}

export interface OpenProposal extends WindowProposal {
  /** When the trial is PAUSED unless a decision has come. */
  readonly deadline: Date;
}

/** No decision has come in time. */
export class NoDecisionError extends Error {
  override readonly name = 'NoDecisionError';
}

export interface DeskParts {
  readonly store: Pick<Store, 'getDecision' | 'awaitDecision'>;
  readonly hub: EventHub;
  readonly log: Logger;
}

/** A trial as the desk knows it: while a proposal waits or somebody drives. */
interface Drive {
  readonly feeds: Set<DriveFeed>;
  /** Stays when its training process has died: what is decided meanwhile counts for the window that is trained again. */
  proposal: OpenProposal | undefined;
  /** Of who waits for the decision. */
  decided: ((decision: Decision) => void) | undefined;
}

export class DriveDesk {
  readonly #parts: DeskParts;
  readonly #drives = new Map<string, Drive>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /**
   * What is decided about a window: what was decided about it before, or what its driver decides now.
   * @param gone aborted when nobody waits any longer; its reason is thrown.
   * @throws NoDecisionError at the deadline.
   */
  async decide(
    claim: Claim,
    { decisionTimeout }: Pick<Study, 'decisionTimeout'>,
    proposal: WindowProposal,
    gone: AbortSignal,
  ): Promise<Decision> {
    const { store } = this.#parts;
    const { index } = proposal.outerStep;
    const drive = this.#drive(claim.trial);
    const { promise, resolve, reject } = Promise.withResolvers<Decision>();
    const over = new AbortController();
    let waits = true;
    // Before the store is asked, so that no decision falls between asking and waiting.
    const decided = (decision: Decision): void => {
      waits = false;
      resolve(decision);
    };
    drive.decided = decided;
    gone.addEventListener('abort', () => reject(gone.reason), { once: true, signal: over.signal });
    try {
      gone.throwIfAborted();
      const earlier = await store.getDecision(claim.trial, index);
      if (earlier !== undefined) return earlier;
      if (waits && !gone.aborted) {
        const ms = milliseconds(decisionTimeout ?? { seconds: 0n, nanos: 0 });
        drive.proposal = { ...proposal, deadline: new Date(Date.now() + ms) };
        this.#tell(drive);
        this.#noteLater(claim, index, over.signal);
        expire(ms, over.signal, () => {
          drive.proposal = undefined;
          reject(
            new NoDecisionError(`no decision about outer step ${index} has come within ${ms / 1_000} s`),
          );
        });
      }
      return await promise;
    } finally {
      over.abort();
      promise.catch(() => {});
      if (drive.decided === decided) drive.decided = undefined;
      if (!gone.aborted) drive.proposal = undefined;
      this.#dropUnused(claim.trial);
    }
  }

  /** The proposal that a decision may be about. */
  proposalOf(trial: string): OpenProposal | undefined {
    return this.#drives.get(trial)?.proposal;
  }

  /** A decision about the proposal has been stored. */
  decided(trial: string, decision: Decision): void {
    const drive = this.#drives.get(trial);
    if (drive === undefined) return;
    drive.proposal = undefined;
    drive.decided?.(decision);
  }

  /** An outer step has been stored. */
  settled(trial: string, outerStep: OuterStep): void {
    const drive = this.#drives.get(trial);
    if (drive === undefined) return;
    for (const feed of drive.feeds) feed.outerSteps.push(outerStep);
    this.#tell(drive);
  }

  /** Tells of a trial until the feed is disposed of. @param news called when there is something to look at. */
  follow(trial: string, news: () => void): DriveFeed {
    const drive = this.#drive(trial);
    const feed = new DriveFeed(news, () => {
      drive.feeds.delete(feed);
      this.#dropUnused(trial);
    });
    drive.feeds.add(feed);
    return feed;
  }

  /** Watchers see a trial that waits. */
  #noteLater(claim: Claim, index: number, over: AbortSignal): void {
    const { store, hub, log } = this.#parts;
    expire(NOTED_AFTER_MS, over, () => {
      store.awaitDecision(claim, index).then(
        () => hub.changed(studyOf(claim.trial)),
        // A decision that came just now, or a store that cannot write: it waits all the same.
        (error: unknown) =>
          log.debug(
            { err: error, study: studyOf(claim.trial), trial: claim.trial },
            'waiting could not be noted',
          ),
      );
    });
  }

  #tell({ feeds }: Drive): void {
    for (const feed of feeds) feed.news();
  }

  #drive(trial: string): Drive {
    let drive = this.#drives.get(trial);
    if (drive === undefined) {
      drive = { feeds: new Set(), proposal: undefined, decided: undefined };
      this.#drives.set(trial, drive);
    }
    return drive;
  }

  #dropUnused(trial: string): void {
    const drive = this.#drives.get(trial);
    if (drive?.feeds.size === 0 && drive.decided === undefined) this.#drives.delete(trial);
  }
}

/** What a driver has not been told yet. */
export class DriveFeed implements Disposable {
  /** Stored since it began; whoever tells of one takes it away. */
  readonly outerSteps: OuterStep[] = [];
  readonly news: () => void;
  readonly #end: () => void;

  /** @internal */
  constructor(news: () => void, end: () => void) {
    this.news = news;
    this.#end = end;
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}

/** Calls back once the time has passed, however long that is, unless it is over before. */
function expire(ms: number, over: AbortSignal, then: () => void): void {
  const wait = async () => {
    for (let left = ms; left > 0; left -= MAX_TIMER_MS) {
      await sleep(Math.min(left, MAX_TIMER_MS), undefined, { signal: over, ref: false });
    }
    then();
  };
  wait().catch(() => {});
}
