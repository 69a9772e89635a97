/** The command of experiments as people give it. */

import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, '../../experiments/src/main.ts');

it('ends with exit code 66 and one line where its folder is a file', async () => {
  const { exitCode, stderr } = await execa(
    process.execPath,
    [MAIN, 'spectrum', '--quick', '--out', import.meta.filename],
    { reject: false },
  );
  expect(stderr).toMatch(/\n--out: EEXIST: .*$/);
  expect(exitCode).toBe(66);
});
