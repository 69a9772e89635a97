import { expect, it } from 'vitest';
import { meanOf, scoreOf } from './score.ts';
import { type Judged, verdictFigures } from './verdict.ts';
import { type HeldWindow, heldWindow, RECORDED, ROWS } from './windows.ts';

const origin = { group: 'a', run: '1', averaging: undefined, input: [], before: [] };
const window = (of: (t: number) => number[]): HeldWindow =>
  heldWindow(
    origin,
    Array.from({ length: RECORDED }, (_, t) => of(t)),
  ) as HeldWindow;

it('of a long window the first rows are seen, and the mean of the later ones is what came', () => {
  const held = window((t) => [t < 100 ? 5 : 1, t % 2 === 0 ? 1 : -1]);
  expect(held.rows).toHaveLength(ROWS);
  // 70 rows are the estimate's and those in between; 30 of the later 150 still have a 5.
  expect(held.truth[0]).toBeCloseTo((30 * 5 + 120) / 150, 10);
  expect(held.truth[1]).toBeCloseTo(0, 10);
  expect(held.clear).toEqual([true, false]);
});

it('a window with a row that is not finite is not scored, and neither is one that is too short', () => {
  expect(window((t) => [t === 200 ? Number.NaN : 1])).toBeUndefined();
  expect(heldWindow(origin, [[1], [2]])).toBeUndefined();
});

it('scores sign, direction and length, each component by its own size', () => {
  const held = window(() => [1000, -1]);
  expect(scoreOf(held, [500, -0.5])).toEqual({
    sign: 1,
    cosine: expect.closeTo(1, 10),
    size: expect.closeTo(0.301, 3),
  });
  // As a plain vector that would be nearly the same direction.
  const turned = scoreOf(held, [1000, 1]);
  expect(turned).toMatchObject({ sign: 0.5, cosine: expect.closeTo(0, 10) });
});

it('an interval comes from whole trainings', () => {
  const items = [1, 1, 1, 0, 0, 0].map((value, i) => ({ run: i < 3 ? 'good' : 'bad', value }));
  const value = (item: { readonly value: number }) => item.value;
  expect(meanOf(items, value)).toEqual({ value: 0.5, low: 0, high: 1 });
  // By windows it would be narrower.
  const apart = items.map((item, i) => ({ ...item, run: String(i) }));
  expect(meanOf(apart, value)?.low).toBeGreaterThan(0);
  expect(meanOf(apart, () => undefined)).toBeUndefined();
});

it("a verdict's precision is compared with what all components have", () => {
  const of = (trusted: boolean, right: boolean, count: number): Judged[] =>
    Array.from({ length: count }, (_, i) => ({ run: String(i % 2), trusted, right }));
  const { base, precision, recall, gain } = verdictFigures([
    ...[...of(true, true, 6), ...of(true, false, 2)],
    ...[...of(false, true, 2), ...of(false, false, 2)],
  ]);
  expect(base?.value).toBeCloseTo(8 / 12, 10);
  expect(precision?.value).toBeCloseTo(6 / 8, 10);
  expect(recall?.value).toBeCloseTo(6 / 8, 10);
  expect(gain?.value).toBeCloseTo(6 / 8 - 8 / 12, 10);
  expect(verdictFigures(of(false, true, 3)).precision).toBeUndefined();
});
