import { expect, it } from 'vitest';
import type { Arm } from './experiment.ts';
import { armsNamed, NoRowError } from './run.ts';

const arms = ['mnist: FIXED', 'mnist: GLOCAL', 'cifar10: GLOCAL'].map((id) => ({ id }) as Arm);
const idsNamed = (text: string) => armsNamed(arms, text).map(({ id }) => id);

it('takes the rows with a text in their names, and all without one', () => {
  expect(idsNamed('GLOCAL')).toEqual(['mnist: GLOCAL', 'cifar10: GLOCAL']);
  expect(idsNamed('')).toHaveLength(3);
  expect(armsNamed([], '')).toEqual([]);
});

it('a text that no row has is told, with the names that there are', () => {
  expect(() => armsNamed(arms, 'glocal')).toThrow(NoRowError);
  expect(() => armsNamed(arms, 'glocal')).toThrow('"glocal" in its name; the rows are\n  mnist: FIXED\n');
});
