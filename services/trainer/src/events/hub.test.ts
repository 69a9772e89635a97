import { describe, expect, it } from 'vitest';
import { EventHub } from './hub.ts';

const never = new AbortController().signal;
const progress = (trial: string, stepsDone: number) => ({ trial, stepsDone, steps: 100 });

/** Whether the promise is settled once everything that can happen now has happened. */
function settled(promise: Promise<unknown>): Promise<boolean> {
  const everything = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([promise.then(() => true), everything]);
}

describe('EventHub', () => {
  it('wakes all who wait for a study, and nobody else', async () => {
    const hub = new EventHub();
    const [one, two, other] = ['a', 'a', 'b'].map((study) => hub.nextChange(study, never));
    hub.changed('a');
    await Promise.all([one, two]);
    expect(await settled(other as Promise<void>)).toBe(false);
  });

  it('does not wake for what happened before', async () => {
    const hub = new EventHub();
    hub.changed('a');
    expect(await settled(hub.nextChange('a', never))).toBe(false);
  });

  it('wakes once for each wait', async () => {
    const hub = new EventHub();
    const first = hub.nextChange('a', never);
    hub.changed('a');
    await first;
    const second = hub.nextChange('a', never);
    expect(await settled(second)).toBe(false);
    hub.changed('a');
    await second;
  });

  it('wakes who stops waiting', async () => {
    const hub = new EventHub();
    const leave = new AbortController();
    const waiting = hub.nextChange('a', leave.signal);
    leave.abort();
    await waiting;
    await hub.nextChange('a', leave.signal);
  });

  it('keeps the latest progress of each trial, and wakes for it', async () => {
    const hub = new EventHub();
    const waiting = hub.nextChange('a', never);
    hub.progressed('a', progress('a/0', 10));
    await waiting;
    hub.progressed('a', progress('a/1', 5));
    hub.progressed('a', progress('a/0', 20));
    expect(hub.progressOf('a')).toEqual([progress('a/0', 20), progress('a/1', 5)]);
    expect(hub.progressOf('b')).toEqual([]);
  });

  it('forgets the progress of a trial', () => {
    const hub = new EventHub();
    hub.progressed('a', progress('a/0', 10));
    hub.progressed('a', progress('a/1', 5));
    hub.forget('a', 'a/0');
    expect(hub.progressOf('a')).toEqual([progress('a/1', 5)]);
    hub.forget('a', 'a/1');
    hub.forget('b', 'b/0');
    expect(hub.progressOf('a')).toEqual([]);
  });
});
