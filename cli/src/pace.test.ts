import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

it('knows nothing before something was done', () => {
  const pace = new Pace();
  expect(pace.left(100)).toBeUndefined();
  pace.mark(0, 0);
  pace.mark(0, 500);
  expect(pace.left(100)).toBeUndefined();
});

it('goes by what was done lately', () => {
  const pace = new Pace();
  for (let i = 0; i <= 10; i++) pace.mark(i, i * 1_000);
  expect(pace.left(20)).toBeCloseTo(10);
  for (let i = 1; i <= 30; i++) pace.mark(10 + i, 10_000 + i * 100);
  expect(pace.left(140)).toBeCloseTo(10);
});

it('begins again where something is done a second time', () => {
  const pace = new Pace();
  pace.mark(0, 0);
  pace.mark(50, 1_000);
  pace.mark(10, 60_000);
  pace.mark(20, 61_000);
  expect(pace.left(30)).toBeCloseTo(1);
});

it('has nothing left at the end', () => {
  const pace = new Pace();
  pace.mark(0, 0);
  pace.mark(50, 1_000);
  expect(pace.left(50)).toBe(0);
});
