import { expect, it } from 'vitest';
import { calledAs } from './invocation.ts';

it.each([
  ['npx', 'npx glocal'],
  ['glocal', 'npm run glocal --'],
  ['serve', 'glocal'],
  [undefined, 'glocal'],
])('what npm calls %s is called as %s', (event, name) => {
  expect(calledAs({ npm_lifecycle_event: event })).toBe(name);
});
