import { describe, expect, it, vi } from 'vitest';
import { JoinedNotices } from '../notices/testing.ts';
import { EventHub } from './hub.ts';

const never = new AbortController().signal;
const progress = (trial: string, stepsDone: number) => ({ trial, stepsDone, steps: 100 });

/** Whether the promise is settled once everything that can happen now has happened. */
function settled(promise: Promise<unknown>): Promise<boolean> {
  const everything = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([promise.then(() => true), everything]);
}

/** A subscription that has been told what there was. */
function subscribed(hub: EventHub, study: string) {
  const subscription = hub.subscribe(study);
  subscription.takeStored();
  subscription.takeProgress();
  return subscription;
}

describe('EventHub', () => {
  it('wakes all who watch a study, and nobody else', async () => {
    const hub = new EventHub();
    const [one, two, other] = ['studies/a', 'studies/a', 'studies/b'].map((study) =>
      subscribed(hub, study).news(never),
    );
    hub.changed('studies/a');
    await Promise.all([one, two]);
    expect(await settled(other as Promise<void>)).toBe(false);
  });

  it('takes what was stored before for new, once', () => {
    const subscription = new EventHub().subscribe('studies/a');
    expect(subscription.takeStored()).toBe(true);
    expect(subscription.takeStored()).toBe(false);
  });

  it('does not lose what happens while nobody waits', async () => {
    const hub = new EventHub();
    const subscription = subscribed(hub, 'studies/a');
    hub.changed('studies/a');
    await subscription.news(never);
    expect(subscription.takeStored()).toBe(true);
    expect(await settled(subscription.news(never))).toBe(false);
  });

  it('wakes who stops waiting', async () => {
    const leave = new AbortController();
    const subscription = subscribed(new EventHub(), 'studies/a');
    const waiting = subscription.news(leave.signal);
    leave.abort();
    await waiting;
    await subscription.news(leave.signal);
  });

  it('wakes for progress, which is nothing that was stored, and tells the latest of each trial', async () => {
    const hub = new EventHub();
    const subscription = subscribed(hub, 'studies/a');
    const waiting = subscription.news(never);
    hub.progressed(progress('studies/a/trials/0', 10));
    await waiting;
    hub.progressed(progress('studies/a/trials/1', 5));
    hub.progressed(progress('studies/a/trials/0', 20));
    expect(subscription.takeStored()).toBe(false);
    expect(subscription.takeProgress()).toEqual([
      progress('studies/a/trials/0', 20),
      progress('studies/a/trials/1', 5),
    ]);
    expect(subscription.takeProgress()).toEqual([]);
  });

  it('wakes many watchers for progress about once a second, and tells them the latest then', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const hub = new EventHub();
    const watchers = Array.from({ length: 1_000 }, () => subscribed(hub, 'studies/a'));
    let waiting = Promise.all(watchers.map((watcher) => watcher.news(never)));
    const told: number[] = [];
    for (let step = 0; step < 12; step++) {
      hub.progressed(progress('studies/a/trials/0', step));
      if (await settled(waiting)) {
        told.push(step);
        for (const watcher of watchers)
          expect(watcher.takeProgress()).toEqual([progress('studies/a/trials/0', step)]);
        waiting = Promise.all(watchers.map((watcher) => watcher.news(never)));
      }
      vi.advanceTimersByTime(250);
    }
    vi.useRealTimers();
    expect(told).toEqual([0, 4, 8]);
  });

  it('tells who comes later the latest progress of each trial that runs', () => {
    const hub = new EventHub();
    hub.progressed(progress('studies/a/trials/0', 10));
    hub.progressed(progress('studies/a/trials/1', 5));
    const before = hub.subscribe('studies/a');
    hub.forget('studies/a/trials/0');
    expect(before.takeProgress()).toEqual([progress('studies/a/trials/1', 5)]);
    expect(hub.subscribe('studies/a').takeProgress()).toEqual([progress('studies/a/trials/1', 5)]);
    expect(hub.subscribe('studies/b').takeProgress()).toEqual([]);
    hub.forget('studies/b/trials/0');
  });

  it('tells no more when the subscription has ended', () => {
    const hub = new EventHub();
    const subscription = subscribed(hub, 'studies/a');
    subscription[Symbol.dispose]();
    hub.changed('studies/a');
    expect(subscription.takeStored()).toBe(false);
  });
});

describe('hubs of processes that share a store', () => {
  const A = 'studies/a';
  const TRIAL = `${A}/trials/0`;
  const hubs = () => JoinedNotices.pair().map((notices) => new EventHub(notices)) as [EventHub, EventHub];

  it('wake watchers for what is stored, deleted or trained elsewhere', async () => {
    const [here, there] = hubs();
    const subscription = subscribed(there, A);
    here.changed(A);
    await subscription.news(never);
    expect(subscription.takeStored()).toBe(true);
    here.progressed(progress(TRIAL, 5));
    expect(subscription.takeProgress()).toEqual([progress(TRIAL, 5)]);
    expect(subscription.feed.removed).toBe(false);
    here.removed(A);
    expect(subscription.feed.removed).toBe(true);
  });

  it('tell who comes later where trials of others are, and not where they were', () => {
    const [here, there] = hubs();
    here.progressed(progress(TRIAL, 5));
    expect(there.subscribe(A).takeProgress()).toEqual([progress(TRIAL, 5)]);
    here.forget(TRIAL);
    expect(there.subscribe(A).takeProgress()).toEqual([]);
  });

  it('forget trials of others that have told nothing for long, but not their own', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const [here, there] = hubs();
    here.progressed(progress(TRIAL, 5));
    vi.advanceTimersByTime(180_000);
    here.progressed(progress('studies/b/trials/0', 1));
    expect(there.subscribe(A).takeProgress()).toEqual([]);
    expect(here.subscribe(A).takeProgress()).toEqual([progress(TRIAL, 5)]);
    vi.useRealTimers();
  });

  it('take everything for changed when notices may have been missed', () => {
    const [one, other] = JoinedNotices.pair();
    const hub = new EventHub(one);
    const watchers = [A, 'studies/b'].map((study) => subscribed(hub, study));
    other.publish({ kind: 'everything' });
    expect(watchers.map((watcher) => watcher.takeStored())).toEqual([true, true]);
  });

  it('know what is watched', () => {
    const hub = new EventHub();
    hub.progressed(progress(TRIAL, 5));
    const subscription = hub.subscribe('studies/b');
    expect(hub.watched).toEqual(['studies/b']);
    subscription[Symbol.dispose]();
    expect(hub.watched).toEqual([]);
  });
});
