import { expect, it } from 'vitest';
import { CASES } from './all.cases.ts';
import { rulesHold } from './rules-hold.ts';
import { RULES } from './table.ts';

it('every rule is tested', () => {
  expect(Object.keys(CASES).sort()).toEqual(Object.keys(RULES).sort());
});

rulesHold(10);
