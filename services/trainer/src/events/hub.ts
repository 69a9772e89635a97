/** Wakes the watchers of a study when something happened, here or in another process, and keeps the latest progress of its trials. */

import type { TrialProgress } from '@glocal/proto/glocal/v1/study_service';
import type { Notice } from '../notices/notice.ts';
import { LocalNotices, type Notices, type Origin } from '../notices/notices.ts';
import { studyOf } from '../resource/names.ts';

/** As many watchers of a study as are told of progress whenever there is some. */
const FEW_WATCHERS = 100;
/** More of them are told of it less often, by this much for each: what they cost together does not grow with their number. */
const PAUSE_MS_EACH = 1;

/**
 * Whether a trial of another process still runs is known by what that tells. One that has told nothing for so long may be
 * lost: its progress is no longer kept for who comes later.
 */
const KEPT_FROM_ELSEWHERE_MS = 120_000;

/** What happens to one study, for all who watch it. It lives as long as somebody does, or a trial of the study runs. */
export interface Feed {
  readonly study: string;
  /** Rises when something is stored for the study. */
  readonly version: number;
  /** Whether the study has been deleted. */
  readonly removed: boolean;
}

/** A feed as the hub sees it. */
interface OpenFeed extends Feed {
  version: number;
  removed: boolean;
  /** Latest report of each running trial, by its name. */
  readonly progress: Map<string, TrialProgress>;
  /** When trials of other processes reported last, by their names, the one longest ago first. */
  readonly elsewhere: Map<string, number>;
  readonly subscriptions: Set<Subscription>;
  /** When watchers were last woken for progress, in milliseconds. */
  progressToldAt: number;
}

/** What is new for a watcher: stored events are read from the store, progress comes along. */
export class EventHub {
  readonly #notices: Notices;
  readonly #feeds = new Map<string, OpenFeed>();
  #sweptAt = 0;

  /** @param notices of the processes that share the store; without them this one has it for itself. */
  constructor(notices: Notices = new LocalNotices()) {
    this.#notices = notices;
    notices.subscribe((notice, origin) => this.#heard(notice, origin));
  }

  /** Something was stored for the study. */
  changed(study: string): void {
    this.#notices.publish({ kind: 'changed', study });
  }

  /** The study was deleted. */
  removed(study: string): void {
    this.#notices.publish({ kind: 'removed', study });
  }

  /**
   * A trial got on. Only the latest report of a trial is kept. Many watchers are not woken for each: what they were not woken
   * for is told with what comes next.
   */
  progressed(progress: TrialProgress): void {
    this.#notices.publish({ kind: 'progressed', progress });
  }

  /** The trial has ended: its progress is history. */
  forget(trial: string): void {
    this.#notices.publish({ kind: 'forgotten', trial });
  }

  /** Studies that somebody watches here. */
  get watched(): string[] {
    const feeds = [...this.#feeds.values()];
    return feeds.filter(({ subscriptions }) => subscriptions.size > 0).map(({ study }) => study);
  }

  /** What is known here may be old: something was stored for the study, or it was deleted, and nobody may have told of it. */
  missed(study: string, what: 'changed' | 'removed'): void {
    const feed = this.#feeds.get(study);
    if (feed === undefined) return;
    feed.removed ||= what === 'removed';
    wake(feed);
  }

  #heard(notice: Notice, origin: Origin): void {
    switch (notice.kind) {
      case 'changed':
      case 'removed':
        this.missed(notice.study, notice.kind);
        break;
      case 'progressed':
        this.#progressed(notice.progress, origin);
        break;
      case 'forgotten':
        this.#forget(notice.trial);
        break;
      case 'everything':
        for (const feed of this.#feeds.values()) wake(feed);
    }
  }

  #progressed(progress: TrialProgress, origin: Origin): void {
    const feed = this.#feed(studyOf(progress.trial));
    feed.progress.set(progress.trial, progress);
    const now = performance.now();
    feed.elsewhere.delete(progress.trial);
    if (origin === 'elsewhere') {
      feed.elsewhere.set(progress.trial, now);
      this.#sweep(now);
    }
    const { size } = feed.subscriptions;
    const due = size <= FEW_WATCHERS || now - feed.progressToldAt >= size * PAUSE_MS_EACH;
    if (due) feed.progressToldAt = now;
    for (const subscription of feed.subscriptions) subscription.progressed(progress, due);
  }

  #forget(trial: string): void {
    const feed = this.#feeds.get(studyOf(trial));
    if (feed === undefined) return;
    feed.progress.delete(trial);
    feed.elsewhere.delete(trial);
    for (const subscription of feed.subscriptions) subscription.forget(trial);
    this.#dropUnused(feed);
  }

  /** Forgets trials of other processes that have not been heard of for long. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < KEPT_FROM_ELSEWHERE_MS / 4) return;
    this.#sweptAt = now;
    for (const feed of [...this.#feeds.values()]) {
      for (const [trial, at] of feed.elsewhere) {
        if (now - at < KEPT_FROM_ELSEWHERE_MS) break;
        this.#forget(trial);
      }
    }
  }

  /** Watches a study until the subscription is disposed of. What was stored before counts as new. */
  subscribe(study: string): Subscription {
    const feed = this.#feed(study);
    const subscription = new Subscription(feed, feed.progress, () => {
      feed.subscriptions.delete(subscription);
      this.#dropUnused(feed);
    });
    feed.subscriptions.add(subscription);
    return subscription;
  }

  #feed(study: string): OpenFeed {
    let feed = this.#feeds.get(study);
    if (feed === undefined) {
      feed = {
        ...{ study, version: 0, removed: false, progressToldAt: Number.NEGATIVE_INFINITY },
        ...{ progress: new Map(), elsewhere: new Map(), subscriptions: new Set() },
      };
      this.#feeds.set(study, feed);
    }
    return feed;
  }

  #dropUnused(feed: OpenFeed): void {
    if (feed.subscriptions.size === 0 && feed.progress.size === 0) this.#feeds.delete(feed.study);
  }
}

function wake(feed: OpenFeed): void {
  feed.version += 1;
  for (const subscription of feed.subscriptions) subscription.stored();
}

/** What one watcher has not been told yet. */
export class Subscription implements Disposable {
  readonly feed: Feed;
  readonly #end: () => void;
  readonly #progress: Map<string, TrialProgress>;
  #stored = true;
  #wake = () => {};

  /** @internal */
  constructor(feed: Feed, progress: ReadonlyMap<string, TrialProgress>, end: () => void) {
    this.feed = feed;
    this.#progress = new Map(progress);
    this.#end = end;
  }

  /** Whether something may have been stored since the last call. Call it before reading. */
  takeStored(): boolean {
    const stored = this.#stored;
    this.#stored = false;
    return stored;
  }

  /** The latest progress of each trial that has got on since the last call. */
  takeProgress(): TrialProgress[] {
    const reports = [...this.#progress.values()];
    this.#progress.clear();
    return reports;
  }

  /** Resolves when there is something to take, or the signal is aborted. */
  async news(stop: AbortSignal): Promise<void> {
    if (this.#stored || this.#progress.size > 0 || stop.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    this.#wake = wake;
    stop.addEventListener('abort', wake, { once: true });
    await promise;
    stop.removeEventListener('abort', wake);
  }

  /** @internal */
  stored(): void {
    this.#stored = true;
    this.#wake();
  }

  /** @internal */
  progressed(report: TrialProgress, wake: boolean): void {
    this.#progress.set(report.trial, report);
    if (wake) this.#wake();
  }

  /** @internal */
  forget(trial: string): void {
    this.#progress.delete(trial);
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}
