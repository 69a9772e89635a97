import { expect, it } from 'vitest';
import { counted, valueWords } from './words.ts';

it.each([
  [3, '3'],
  [0.25, '0.250'],
  ['adam', 'adam'],
  [undefined, '–'],
  [[], ''],
  [[0.5, 0.5], '0.500'],
  [[2, 0.1, 1], '0.100…2.00'],
])('the value %j is shown as %s', (value, words) => {
  expect(valueWords(value)).toBe(words);
});

it('vectors that are longer than a list of arguments may be are shown, too', () => {
  expect(valueWords(Array.from({ length: 471_859 }, (_, i) => i))).toBe('0.00…4.72e+5');
});

it('one thing is no several', () => {
  expect([counted(1, 'row'), counted(0, 'row')]).toEqual(['1 row', '0 rows']);
});
