import { describe, expect, it, vi } from 'vitest';
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
    const [one, two, other] = ['a', 'a', 'b'].map((study) => subscribed(hub, study).news(never));
    hub.changed('a');
    await Promise.all([one, two]);
    expect(await settled(other as Promise<void>)).toBe(false);
  });

  it('takes what was stored before for new, once', () => {
    const subscription = new EventHub().subscribe('a');
    expect(subscription.takeStored()).toBe(true);
    expect(subscription.takeStored()).toBe(false);
  });

  it('does not lose what happens while nobody waits', async () => {
    const hub = new EventHub();
    const subscription = subscribed(hub, 'a');
    hub.changed('a');
    await subscription.news(never);
    expect(subscription.takeStored()).toBe(true);
    expect(await settled(subscription.news(never))).toBe(false);
  });

  it('wakes who stops waiting', async () => {
    const leave = new AbortController();
    const subscription = subscribed(new EventHub(), 'a');
    const waiting = subscription.news(leave.signal);
    leave.abort();
    await waiting;
    await subscription.news(leave.signal);
  });

  it('wakes for progress, which is nothing that was stored, and tells the latest of each trial', async () => {
    const hub = new EventHub();
    const subscription = subscribed(hub, 'a');
    const waiting = subscription.news(never);
    hub.progressed('a', progress('a/0', 10));
    await waiting;
    hub.progressed('a', progress('a/1', 5));
    hub.progressed('a', progress('a/0', 20));
    expect(subscription.takeStored()).toBe(false);
    expect(subscription.takeProgress()).toEqual([progress('a/0', 20), progress('a/1', 5)]);
    expect(subscription.takeProgress()).toEqual([]);
  });

  it('wakes many watchers for progress about once a second, and tells them the latest then', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const hub = new EventHub();
    const watchers = Array.from({ length: 1_000 }, () => subscribed(hub, 'a'));
    let waiting = Promise.all(watchers.map((watcher) => watcher.news(never)));
    const told: number[] = [];
    for (let step = 0; step < 12; step++) {
      hub.progressed('a', progress('a/0', step));
      if (await settled(waiting)) {
        told.push(step);
        for (const watcher of watchers) expect(watcher.takeProgress()).toEqual([progress('a/0', step)]);
        waiting = Promise.all(watchers.map((watcher) => watcher.news(never)));
      }
      vi.advanceTimersByTime(250);
    }
    vi.useRealTimers();
    expect(told).toEqual([0, 4, 8]);
  });

  it('tells who comes later the latest progress of each trial that runs', () => {
    const hub = new EventHub();
    hub.progressed('a', progress('a/0', 10));
    hub.progressed('a', progress('a/1', 5));
    const before = hub.subscribe('a');
    hub.forget('a', 'a/0');
    expect(before.takeProgress()).toEqual([progress('a/1', 5)]);
    expect(hub.subscribe('a').takeProgress()).toEqual([progress('a/1', 5)]);
    expect(hub.subscribe('b').takeProgress()).toEqual([]);
    hub.forget('b', 'b/0');
  });

  it('tells no more when the subscription has ended', () => {
    const hub = new EventHub();
    const subscription = subscribed(hub, 'a');
    subscription[Symbol.dispose]();
    hub.changed('a');
    expect(subscription.takeStored()).toBe(false);
  });
});
