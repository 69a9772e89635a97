import { expect, it } from 'vitest';
import { sparkline } from './sparkline.ts';

it('goes from the lowest to the highest of the values', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline([8, 1])).toBe('█▁');
});

it('shows the last ones where there is no room for all', () => {
  expect(sparkline([100, 0, 7], { width: 2 })).toBe('▁█');
});

it('can have a logarithmic scale', () => {
  expect(sparkline([1, 10, 100], { log: true })).toBe('▁▅█');
  expect(sparkline([1, 0, 100], { log: true })).toBe('▁ █');
});

it('is level where nothing changes, blank where nothing is known, and may be empty', () => {
  expect(sparkline([3, 3])).toBe('▅▅');
  expect(sparkline([Number.NaN, 1, 2])).toBe(' ▁█');
  expect(sparkline([])).toBe('');
});
