import { expect, it } from 'vitest';
import { PYTHON_VARIABLE } from './tpe.ts';

it('is named by a variable that the services do not take for a setting of theirs, which would stop them', () => {
  expect(PYTHON_VARIABLE).not.toMatch(/^GLOCAL_/);
});
