import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../root.ts';
import type { VitestReport } from './vitest-report.ts';

/** Within the checkout, where the files find vitest. */
let folder: string;
let report: VitestReport;

const files = {
  'some.test.ts': `
    import { expect, test } from 'vitest';
    test('one', () => {});
    test.skip('two', () => {});
    test('three', () => expect({ a: 1 }).toEqual({ a: 2 }));
  `,
  'hook.test.ts': `
    import { beforeAll, describe, test } from 'vitest';
    describe('a group', () => {
      beforeAll(() => { throw new Error('no server'); });
      test('four', () => {});
    });
  `,
  'load.test.ts': `import './missing.ts';`,
  'stray.test.ts': `
    import { test } from 'vitest';
    test('five', async () => {
      void Promise.reject(new Error('nobody caught me'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
  `,
};

beforeAll(async () => {
  folder = mkdtempSync(join(root, '.glocal', 'report-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const outputFile = join(folder, 'report.json');
  const reporter = join(import.meta.dirname, 'vitest-report.ts');
  const options = ['--root', folder, `--reporter=${reporter}`, `--outputFile=${outputFile}`];
  const run = promisify(execFile)(join(root, 'node_modules', '.bin', 'vitest'), ['run', ...options]);
  await expect(run).rejects.toMatchObject({ code: 1 });
  report = JSON.parse(readFileSync(outputFile, 'utf8'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const messageOf = (name: string) => report.failures.find((failure) => failure.name === name)?.message;

test('tests are counted', () => {
  expect(report).toMatchObject({ passed: 2, skipped: 2 });
  expect(report.failures).toHaveLength(4);
});

test('a failed test is named with its file, and says what was expected and where', () => {
  const message = messageOf('some.test.ts > three');
  expect(message).toContain('AssertionError: expected { a: 1 } to deeply equal { a: 2 }');
  expect(message).toMatch(/at .*some\.test\.ts:5/);
  expect(message).not.toContain('node_modules');
});

test('a file whose hook failed, or that does not load, is a failure with the reason', () => {
  expect(messageOf('hook.test.ts')).toContain('Error: no server');
  expect(messageOf('load.test.ts')).toContain('missing.ts');
});

test('an error outside of all tests is a failure', () => {
  expect(messageOf('an error outside of all tests')).toContain('Error: nobody caught me');
});
