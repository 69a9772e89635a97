import { expect, it } from 'vitest';
import { datasetsOf } from './datasets.ts';

it('are those of the form that is run', () => {
  const datasets = { full: ['letters'], quick: ['fashion-mnist-10k'] };
  expect(datasetsOf({ datasets }, 'full')).toEqual(['letters']);
  expect(datasetsOf({ datasets }, 'quick')).toEqual(['fashion-mnist-10k']);
  expect(datasetsOf({ datasets: { full: ['letters'] } }, 'quick')).toEqual(['letters']);
});
