/**
 * Proposals that wait for a decision, between who trains a trial and who drives it. Where both are in one process, a proposal
 * goes from hand to hand: after a crash the window is trained again, and proposed again. Where processes share the store, it
 * is there as well, and notices wake who is at another one. Decisions are in the store always.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Decision, OuterStep, Study } from '@glocal/proto/glocal/v1/study';
import type { Logger } from 'pino';
import type { EventHub } from '../events/hub.ts';
import type { Notices } from '../notices/notices.ts';
import { milliseconds } from '../resource/duration.ts';
import { studyOf } from '../resource/names.ts';
import { forDriver } from '../resource/outer-step.ts';
import type { Claim, Proposal, Store } from '../store/store.ts';
import { untilStored } from '../store/until-stored.ts';
import { DriveFeed, type FeedListener } from './feed.ts';

/** A decision that comes within this time is not waited for in the eyes of watchers: it costs the store nothing. */
const NOTED_AFTER_MS = 1_000;
const LOOK_EVERY_MS = 3_000;
/** The longest that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What the policy would do about a window. */
export type WindowProposal = Omit<Proposal, 'deadline'>;

/** No decision has come in time. */
export class NoDecisionError extends Error {
  override readonly name = 'NoDecisionError';
}

export interface DeskParts {
  readonly store: Pick<
    Store,
    'health' | 'getDecision' | 'awaitDecision' | 'propose' | 'getProposal' | 'getDriving'
  >;
  readonly hub: EventHub;
  readonly notices: Notices;
  readonly log: Logger;
  /** So often the store is asked for what a notice should have told of, in milliseconds; by default 3 s. */
  readonly lookEveryMs?: number | undefined;
}

/** Who waits here for a decision. */
interface Waiter {
  /** Of the outer step. */
  readonly index: number;
  decided(decision: Decision): void;
}

/** A trial as the desk knows it: while a proposal waits here or somebody drives here. */
interface Drive {
  readonly trial: string;
  readonly feeds: Set<DriveFeed>;
  /**
   * Of who trains here. Stays when its training process has died and nobody else may train it: what is decided meanwhile
   * counts for the window that is trained again.
   */
  proposal: Proposal | undefined;
  waiter: Waiter | undefined;
  /** Of who trains elsewhere, as it was last read. */
  remote: Proposal | undefined;
  /** Whether what is proposed elsewhere may be another one by now. */
  stale: boolean;
  /** Rises with what is decided here: what was read before is old. */
  decisions: number;
}

export class DriveDesk {
  readonly #parts: DeskParts;
  readonly #drives = new Map<string, Drive>();
  #looking: NodeJS.Timeout | undefined;

  constructor(parts: DeskParts) {
    this.#parts = parts;
    parts.notices.subscribe((notice, origin) => {
      if (origin === 'here') return;
      if (notice.kind === 'drive') this.#heard(this.#drives.get(notice.trial));
      if (notice.kind === 'everything') for (const drive of this.#drives.values()) this.#heard(drive);
    });
  }

  /**
   * What is decided about a window: what was decided about it before, or what its driver decides now.
   * @param gone aborted when nobody waits any longer; its reason is thrown.
   * @throws NoDecisionError at the deadline; where the store is shared its errors, when the trial is no longer the claim's.
   */
  async decide(
    claim: Claim,
    { decisionTimeout }: Pick<Study, 'decisionTimeout'>,
    window: WindowProposal,
    gone: AbortSignal,
  ): Promise<Decision> {
    const { store, notices } = this.#parts;
    const { index } = window.outerStep;
    const drive = this.#drive(claim.trial);
    const { promise, resolve, reject } = Promise.withResolvers<Decision>();
    const over = new AbortController();
    let waits = true;
    // Before the store is asked, so that no decision falls between asking and waiting.
    const waiter: Waiter = {
      index,
      decided: (decision) => {
        waits = false;
        resolve(decision);
      },
    };
    drive.waiter = waiter;
    gone.addEventListener('abort', () => reject(gone.reason), { once: true, signal: over.signal });
    try {
      gone.throwIfAborted();
      const earlier = await this.#until(() => store.getDecision(claim.trial, index), gone);
      if (earlier !== undefined) return earlier;
      const ms = milliseconds(decisionTimeout ?? { seconds: 0n, nanos: 0 });
      const proposal = { ...window, deadline: new Date(Date.now() + ms) };
      if (notices.shared && waits && !gone.aborted) {
        const stored = { ...proposal, outerStep: forDriver(window.outerStep, true) };
        const decided = await this.#until(() => store.propose(claim, stored), gone);
        if (decided !== undefined) return decided;
      }
      if (waits && !gone.aborted) {
        drive.proposal = proposal;
        this.#tell(drive);
        if (notices.shared) notices.publish({ kind: 'drive', trial: claim.trial });
        this.#noteLater(claim, index, over.signal);
        expire(ms, over.signal, () => {
          drive.proposal = undefined;
          void this.#lastLook(claim, waiter).finally(() =>
            reject(
              new NoDecisionError(`no decision about outer step ${index} has come within ${ms / 1_000} s`),
            ),
          );
        });
      }
      return await promise;
    } finally {
      over.abort();
      promise.catch(() => {});
      if (drive.waiter === waiter) drive.waiter = undefined;
      // Whoever may train it next, elsewhere, proposes it again in the store.
      if (!gone.aborted || notices.shared) drive.proposal = undefined;
      drive.stale = notices.shared;
      this.#dropUnused(drive);
    }
  }

  /** The proposal that a decision may be about: another object when there is another. */
  async proposalOf(trial: string): Promise<Proposal | undefined> {
    const drive = this.#drives.get(trial);
    if (drive?.proposal !== undefined) return drive.proposal;
    const { store, notices } = this.#parts;
    if (!notices.shared || drive?.waiter !== undefined) return undefined;
    if (drive === undefined) return store.getProposal(trial);
    if (drive.stale) {
      const { decisions } = drive;
      drive.stale = false;
      try {
        const found = await store.getProposal(trial);
        if (drive.decisions !== decisions) this.#heard(drive);
        else if (!isSame(found, drive.remote)) drive.remote = found;
      } catch (error) {
        drive.stale = true;
        throw error;
      }
    }
    return drive.proposal ?? drive.remote;
  }

  /** A decision about the proposal has been stored. */
  decided(trial: string, decision: Decision): void {
    if (this.#parts.notices.shared) this.#parts.notices.publish({ kind: 'drive', trial });
    const drive = this.#drives.get(trial);
    if (drive === undefined) return;
    drive.proposal = undefined;
    drive.remote = undefined;
    drive.decisions += 1;
    if (drive.waiter?.index === decision.outerStep) drive.waiter.decided(decision);
  }

  /** An outer step of a trial that trains here has been stored. */
  settled(trial: string, outerStep: OuterStep): void {
    const drive = this.#drives.get(trial);
    if (drive === undefined) return;
    for (const feed of drive.feeds) feed.outerSteps.push(outerStep);
    this.#tell(drive);
  }

  /** Tells of a trial until the feed is disposed of. */
  follow(trial: string, listener: FeedListener): DriveFeed {
    const drive = this.#drive(trial);
    const feed = new DriveFeed(listener, () => {
      drive.feeds.delete(feed);
      this.#dropUnused(drive);
    });
    drive.feeds.add(feed);
    return feed;
  }

  /** Asks a store that may be away. */
  #until<T>(ask: () => Promise<T>, gone: AbortSignal): Promise<T> {
    return untilStored(this.#parts.store.health, ask, gone);
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

  /** Something may have been proposed or decided elsewhere. */
  #heard(drive: Drive | undefined): void {
    if (drive === undefined) return;
    drive.stale = true;
    this.#tell(drive);
    const { trial, waiter } = drive;
    if (waiter !== undefined) void this.#ask(trial, waiter);
  }

  /** Whether there is a decision that is waited for here. */
  async #ask(trial: string, waiter: Waiter): Promise<void> {
    try {
      const decision = await this.#parts.store.getDecision(trial, waiter.index);
      if (decision !== undefined) waiter.decided(decision);
    } catch (error) {
      // It is asked for again.
      this.#parts.log.debug(
        { err: error, study: studyOf(trial), trial },
        'a decision could not be asked for',
      );
    }
  }

  /** The notice of a decision may have been lost. */
  async #lastLook({ trial }: Claim, waiter: Waiter): Promise<void> {
    if (this.#parts.notices.shared) await this.#ask(trial, waiter);
  }

  /** Looks for what notices should have told of. */
  async #look(): Promise<void> {
    const { store, log } = this.#parts;
    for (const drive of [...this.#drives.values()]) {
      const { trial, waiter, feeds } = drive;
      if (waiter !== undefined) await this.#ask(trial, waiter);
      if (feeds.size === 0) continue;
      try {
        const { seat, deadline } = await store.getDriving(trial);
        for (const feed of feeds) feed.listener.seated(seat);
        if (drive.proposal !== undefined || deadline?.getTime() === drive.remote?.deadline.getTime())
          continue;
        drive.stale = true;
        this.#tell(drive);
      } catch (error) {
        log.debug({ err: error, study: studyOf(trial), trial }, 'a driven trial could not be looked at');
      }
    }
  }

  #lookLater(): void {
    if (!this.#parts.notices.shared || this.#looking !== undefined || this.#drives.size === 0) return;
    this.#looking = setTimeout(() => {
      void this.#look().finally(() => {
        this.#looking = undefined;
        this.#lookLater();
      });
    }, this.#parts.lookEveryMs ?? LOOK_EVERY_MS).unref();
  }

  #tell({ feeds }: Drive): void {
    for (const feed of feeds) feed.listener.news();
  }

  #drive(trial: string): Drive {
    let drive = this.#drives.get(trial);
    if (drive === undefined) {
      const { shared } = this.#parts.notices;
      drive = {
        ...{ trial, feeds: new Set(), proposal: undefined, waiter: undefined },
        ...{ remote: undefined, stale: shared, decisions: 0 },
      };
      this.#drives.set(trial, drive);
      this.#lookLater();
    }
    return drive;
  }

  #dropUnused({ trial, feeds, waiter }: Drive): void {
    if (feeds.size === 0 && waiter === undefined) this.#drives.delete(trial);
  }
}

const isSame = (one: Proposal | undefined, other: Proposal | undefined): boolean =>
  one?.outerStep.index === other?.outerStep.index && one?.deadline.getTime() === other?.deadline.getTime();

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
