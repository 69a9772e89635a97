import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fingerprint } from './stamp.ts';

let folder: string;
const print = () => fingerprint(['src/**'], ['**/*.test.ts'], folder);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-stamp-'));
  mkdirSync(join(folder, 'src', 'deep'), { recursive: true });
  writeFileSync(join(folder, 'src', 'a.ts'), 'a');
  writeFileSync(join(folder, 'src', 'deep', 'b.ts'), 'b');
  writeFileSync(join(folder, 'src', 'a.test.ts'), 'test');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each<[string, () => void]>([
  ['changed contents', () => writeFileSync(join(folder, 'src', 'deep', 'b.ts'), 'c')],
  ['another name', () => renameSync(join(folder, 'src', 'a.ts'), join(folder, 'src', 'c.ts'))],
  ['a new file', () => writeFileSync(join(folder, 'src', 'deep', 'new.ts'), '')],
  ['a removed file', () => rmSync(join(folder, 'src', 'a.ts'))],
  [
    'contents moved from one file to the next',
    () => {
      writeFileSync(join(folder, 'src', 'a.ts'), '');
      writeFileSync(join(folder, 'src', 'deep', 'b.ts'), 'ab');
    },
  ],
])('%s changes the fingerprint', (_, change) => {
  const before = print();
  change();
  expect(print()).not.toBe(before);
});

test.each<[string, () => void]>([
  ['a new time stamp', () => utimesSync(join(folder, 'src', 'a.ts'), 1, 1)],
  ['a change in an excepted file', () => writeFileSync(join(folder, 'src', 'a.test.ts'), 'other')],
  ['a file elsewhere', () => writeFileSync(join(folder, 'other.ts'), '')],
])('%s does not', (_, change) => {
  const before = print();
  change();
  expect(print()).toBe(before);
});
