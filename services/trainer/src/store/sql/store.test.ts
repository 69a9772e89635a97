import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreUnavailableError } from '../errors.ts';
import type { Method } from './methods.ts';
import { SqlStore } from './store.ts';

/** A store on a connection that refuses as long as it is told to; how often it was probed. */
function storeOn(disk: { full: boolean }) {
  let probes = 0;
  const write = async () => {
    if (disk.full) throw new StoreUnavailableError('the disk is full');
  };
  const call = (method: Method) => (method === 'getStudy' ? Promise.resolve(undefined) : write());
  const probe = () => {
    probes += 1;
    return write();
  };
  const store = new SqlStore({ call: call as never, probe, close: async () => {} });
  return { store, probes: () => probes };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('the health of a store', () => {
  it('is bad from the first write that the disk refuses, and good again once a probe succeeds', async () => {
    const disk = { full: true };
    const { store, probes } = storeOn(disk);
    const told: boolean[] = [];
    store.health.onChange(() => told.push(store.health.writable));
    await expect(store.cancelStudy('studies/a')).rejects.toThrow(StoreUnavailableError);
    expect(store.health.reason).toBe('the disk is full');
    await vi.advanceTimersByTimeAsync(60_000);
    // With pauses that grow to five seconds.
    expect(probes()).toBeGreaterThan(10);
    expect(probes()).toBeLessThan(25);
    disk.full = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told).toEqual([false, true]);
    const before = probes();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(probes()).toBe(before);
    await store.close();
  });

  it('is not about what is read', async () => {
    const { store } = storeOn({ full: true });
    await store.getStudy('studies/a');
    expect(store.health.writable).toBe(true);
    await store.close();
  });

  it('can be waited for', async () => {
    const { store } = storeOn({ full: false });
    store.health.set('the disk is full');
    const leave = new AbortController();
    const left = store.health.whenWritable(leave.signal);
    let written = false;
    const waiting = store.health.whenWritable(new AbortController().signal).then(() => {
      written = true;
    });
    leave.abort();
    await left;
    expect(written).toBe(false);
    store.health.set(undefined);
    await waiting;
    await store.close();
  });
});
