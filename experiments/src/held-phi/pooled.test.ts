import { describe, expect, it } from 'vitest';
import { fixedPointOfSharedMap, fixedPointWithInput, type HeldRows } from './pooled.ts';

const MAP = [
  [0.8, 0.1],
  [-0.05, 0.7],
] as const;
const INPUTS = [
  [0.3, 0],
  [0.1, -0.2],
] as const;
const CONSTANT = [0.5, -0.4];

/** Of h_{t+1} = A h_t + Bφ + c, which has only just begun. */
function window(input: readonly [number, number], start: readonly number[]): HeldRows {
  const rows = [[...start]];
  for (let t = 0; t < 6; t++) {
    const row = rows.at(-1) as number[];
    rows.push(
      MAP.map(
        (weights, k) =>
          weights[0] * (row[0] ?? 0) +
          weights[1] * (row[1] ?? 0) +
          (INPUTS[k]?.[0] ?? 0) * input[0] +
          (INPUTS[k]?.[1] ?? 0) * input[1] +
          (CONSTANT[k] ?? 0),
      ),
    );
  }
  return { rows, input };
}

/** (I − A)⁻¹(Bφ + c), by hand. */
function limit(input: readonly [number, number]): [number, number] {
  const [a, b, c, d] = [1 - MAP[0][0], -MAP[0][1], -MAP[1][0], 1 - MAP[1][1]];
  const [e, f] = INPUTS.map((row, k) => row[0] * input[0] + row[1] * input[1] + (CONSTANT[k] ?? 0)) as [
    number,
    number,
  ];
  const determinant = a * d - b * c;
  return [(e * d - b * f) / determinant, (a * f - e * c) / determinant];
}

it('finds where the last window is heading, from windows at other points too', () => {
  const windows = [
    window([0, 0], [0, 0]),
    window([1, 0], [4, 1]),
    window([0, 1], [1, -2]),
    window([1, 1], [-1, 2]),
  ];
  const found = fixedPointWithInput(windows, 0.98) ?? [];
  const [first, second] = limit([1, 1]);
  // Ridge holds it back by a twentieth.
  expect(Math.abs((found[0] ?? 0) - first)).toBeLessThan(0.2);
  expect(Math.abs((found[1] ?? 0) - second)).toBeLessThan(0.2);
  // Without the input they contradict each other.
  const blind = fixedPointWithInput(
    windows.map(({ rows }) => ({ rows, input: [0, 0] })),
    0.98,
  ) as number[];
  expect(Math.abs((blind[0] ?? 0) - first)).toBeGreaterThan(0.5);
});

it('finds it by the map of all windows, whatever each of them is heading for', () => {
  const windows = [window([0, 3], [0, 0]), window([2, 0], [4, 1]), window([1, 1], [-1, 2])];
  const found = fixedPointOfSharedMap(windows, 0.98) ?? [];
  const [first, second] = limit([1, 1]);
  expect(Math.abs((found[0] ?? 0) - first)).toBeLessThan(0.2);
  expect(Math.abs((found[1] ?? 0) - second)).toBeLessThan(0.2);
});

describe.each([fixedPointWithInput, fixedPointOfSharedMap])('%o', (fixedPoint) => {
  it('does not go on growing', () => {
    const growing = { rows: [[1], [1.5], [2.25], [3.375]], input: [0] };
    // x̄ + (ȳ − x̄) / (1 − .9) with the means 19/12 and 19/8.
    expect(fixedPoint([growing], 0.9)).toEqual([expect.closeTo(9.5, 6)]);
  });

  it('has nothing to say where nothing moves, or a row is not finite', () => {
    expect(fixedPoint([{ rows: [[0], [0]], input: [0] }], 0.9)).toBeUndefined();
    expect(fixedPoint([{ rows: [[1], [Number.NaN]], input: [0] }], 0.9)).toBeUndefined();
  });
});
