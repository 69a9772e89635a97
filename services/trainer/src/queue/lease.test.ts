import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Lease } from './lease.ts';

let renewals: number;
let passed: number;
/** What comes of a renewal. */
let answer: () => Promise<void>;
let lease: Lease;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  renewals = 0;
  passed = 0;
  answer = async () => {};
  lease = new Lease(9_000, {
    renew: async () => {
      renewals += 1;
      await answer();
    },
    passed: () => {
      passed += 1;
    },
  });
});
afterEach(() => {
  lease.end();
  vi.useRealTimers();
});

it('is renewed three times as often as it lasts, while something is claimed', async () => {
  await vi.advanceTimersByTimeAsync(60_000);
  lease.begin(performance.now());
  await vi.advanceTimersByTimeAsync(30_000);
  expect([renewals, passed]).toEqual([10, 0]);
  lease.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([renewals, passed]).toEqual([10, 0]);
});

it('passes when it could not be renewed, from before it was last asked for', async () => {
  answer = () => Promise.reject(new Error('the database is away'));
  lease.begin(performance.now() - 1_000);
  await vi.advanceTimersByTimeAsync(7_999);
  expect(passed).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(passed).toBe(1);
});

it('passes when no renewal is answered', async () => {
  answer = () => new Promise(() => {});
  lease.begin(performance.now());
  await vi.advanceTimersByTimeAsync(9_000);
  expect(passed).toBe(1);
});

it('does not wait for a connection that never answers before it asks again', async () => {
  answer = () => new Promise(() => {});
  lease.begin(performance.now());
  await vi.advanceTimersByTimeAsync(3_000);
  answer = async () => {};
  await vi.advanceTimersByTimeAsync(8_000);
  expect([renewals, passed]).toEqual([3, 0]);
});

it('is not shortened by an answer that comes after a later one', async () => {
  let answered = () => {};
  answer = () =>
    new Promise((resolve) => {
      answered = resolve;
    });
  lease.begin(performance.now());
  await vi.advanceTimersByTimeAsync(3_000);
  answer = async () => {};
  await vi.advanceTimersByTimeAsync(3_000);
  answered();
  answer = () => Promise.reject(new Error('the database is away'));
  await vi.advanceTimersByTimeAsync(8_999);
  expect(passed).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(passed).toBe(1);
});

it('counts from when a renewal was sent, not from its answer', async () => {
  let answered = () => {};
  answer = () =>
    new Promise((resolve) => {
      answered = resolve;
    });
  lease.begin(performance.now());
  await vi.advanceTimersByTimeAsync(5_000);
  answered();
  answer = () => Promise.reject(new Error('the database is away'));
  await vi.advanceTimersByTimeAsync(6_999);
  expect(passed).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(passed).toBe(1);
});
