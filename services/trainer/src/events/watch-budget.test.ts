import { afterEach, describe, expect, it, vi } from 'vitest';
import { BusyError, InterruptedError } from '../resource/errors.ts';
import { WatchBudget } from './watch-budget.ts';

const never = new AbortController().signal;
const budget = (maxBytes: number, maxWatchers = 100) =>
  new WatchBudget({ maxWatchers, maxBytes, bytesEach: 10 });

/** Whether the promise is settled once everything that can happen now has happened. */
function settled(promise: Promise<unknown>): Promise<boolean> {
  const everything = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([promise.then(() => true), everything]);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the budget of all watchers', () => {
  it('has a place for as many watchers as it may, again when one has gone', () => {
    const places = budget(1_000, 2);
    const first = places.enter('');
    places.enter('');
    expect(() => places.enter('')).toThrow(/2 watchers are connected, as many as this server allows/);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    places.enter('');
    expect(() => places.enter('')).toThrow(BusyError);
  });

  it('has a place for as many watchers as its bytes allow', () => {
    const places = budget(25);
    places.enter('');
    places.enter('');
    expect(() => places.enter('')).toThrow(/hold the 25 bytes/);
  });

  it('makes a large event wait until another one was taken, and never a small one', async () => {
    const bytes = budget(100);
    bytes.enter('');
    const first = await bytes.hold(60, never);
    const second = bytes.hold(60, never);
    expect(await settled(second)).toBe(false);
    expect(await settled(bytes.hold(10, never))).toBe(true);
    expect(bytes.held).toBe(70);
    first[Symbol.dispose]();
    (await second)[Symbol.dispose]();
    expect(bytes.held).toBe(10);
  });

  it('lets an event through that is larger than all of it, when nobody else has a large one', async () => {
    const bytes = budget(100);
    using _held = await bytes.hold(500, never);
    expect(bytes.held).toBe(500);
  });

  it('ends the watch of an event that waits for long, and the wait of a watcher that has gone', async () => {
    const bytes = budget(100);
    using _held = await bytes.hold(90, never);
    const leave = new AbortController();
    const gone = bytes.hold(90, leave.signal);
    leave.abort();
    await gone;
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());
    await expect(bytes.hold(90, never)).rejects.toThrow(InterruptedError);
  });
});
