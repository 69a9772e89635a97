import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Outage } from './outage.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const pass = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);

it('lasts from the loss of a connection on, over failed attempts', () => {
  const outage = new Outage();
  outage.lost();
  expect(outage.duration).toBe(0);
  pass(300);
  outage.lost();
  pass(200);
  expect(outage.duration).toBe(500);
});

it('goes on after a connection that broke before anything came of it', () => {
  const outage = new Outage();
  for (let i = 0; i < 10; i++) {
    outage.lost();
    pass(1_000);
    outage.opened();
    // While there is a connection the time does not count.
    pass(5_000);
  }
  expect(outage.duration).toBe(10_000);
});

it('starts anew after something came, or a connection that stood for ten seconds', () => {
  const outage = new Outage();
  outage.lost();
  pass(1_000);
  outage.opened();
  outage.over();
  outage.lost();
  expect(outage).toMatchObject({ duration: 0, failures: 1 });
  pass(1_000);
  outage.opened();
  pass(10_000);
  outage.lost();
  expect(outage).toMatchObject({ duration: 0, failures: 1 });
});

it('makes pauses that double up to five seconds, less up to half of them', () => {
  const outage = new Outage();
  for (const longest of [200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
    outage.lost();
    expect(outage.pause).toBeGreaterThanOrEqual(longest / 2);
    expect(outage.pause).toBeLessThanOrEqual(longest);
  }
});
