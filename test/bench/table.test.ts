import { expect, it } from 'vitest';
import { formatTable, readable } from './table.ts';

const ROWS = [
  { name: 'engine.some_ratio', value: 1.23456, unit: 'ratio', n: 40 },
  { name: 'engine.leaked', value: 0, unit: 'tensors', n: 1000 },
];

it('sets columns apart by space alone where nobody looks at a terminal', () => {
  expect(formatTable(ROWS, false).split('\n')).toEqual([
    'row                 value   unit         n',
    'engine.some_ratio   1.235   ratio       40',
    'engine.leaked           0   tensors   1000',
  ]);
});

it('draws a frame on a terminal, without colours', () => {
  const table = formatTable(ROWS, true);
  expect(table).toContain('│ engine.some_ratio │ 1.235 │');
  expect(table).not.toContain('\u001b');
});

it.each([
  [0, '0'],
  [1, '1'],
  [22.03449, '22.03'],
  [1.0404, '1.040'],
  [0.004321, '0.004321'],
  [2.9e-14, '2.9e-14'],
  [12345.678, '12346'],
  [691674, '691674'],
])('writes %d as %s', (value, text) => {
  expect(readable(value)).toBe(text);
});
