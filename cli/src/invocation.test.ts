import { expect, it } from 'vitest';
import { calledAs, shellWord } from './invocation.ts';

it.each([
  ['npx', 'npx glocal'],
  ['glocal', 'npm run glocal --'],
  ['serve', 'glocal'],
  [undefined, 'glocal'],
])('what npm calls %s is called as %s', (event, name) => {
  expect(calledAs({ npm_lifecycle_event: event })).toBe(name);
});

it.each([
  ['studies/a:b@c', 'studies/a:b@c'],
  ['new project', "'new project'"],
  ["it's", "'it'\\''s'"],
  ['', "''"],
])('the word %j is written %s', (word, written) => {
  expect(shellWord(word)).toBe(written);
});
