/** The program on the first screen of the SDK's README, as it stands, with the real trainer. */

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { TestTrainer } from '../support/trainer.ts';

it("the README's program tunes a network and prints its schedule", { timeout: 300_000 }, async () => {
  const readme = await readFile(new URL('../../sdk/README.md', import.meta.url), 'utf8');
  const [, program] = readme.match(/```js\n([\s\S]*?)```/) ?? [];
  if (program === undefined) throw new Error('the README has no program');

  await using trainer = await TestTrainer.start();
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', program], {
    // Where `@glocal/sdk` is found.
    cwd: dirname(fileURLToPath(import.meta.url)),
    env: { GLOCAL_ADDRESS: trainer.address },
  });
  const lines = stdout.trim().split('\n');
  expect(lines.slice(0, 4)).toEqual(
    [50, 100, 150, 200].map((step) =>
      expect.stringMatching(new RegExp(`^step ${step}: lr 0\\.\\d{4}, loss \\d\\.\\d{3}, [A-Z_]+$`)),
    ),
  );
  expect(lines[4]).toMatch(/^COMPLETED, test accuracy 0\.\d+$/);
  expect(lines[5]).toBe('step,lr,momentum,weightDecay');
  const schedule = lines.slice(6).map((line) => line.split(',').map(Number));
  expect(schedule.map(([step]) => step)).toEqual([0, 50, 100, 150, 200]);
  expect(new Set(schedule.map(([, lr]) => lr)).size).toBeGreaterThan(1);
  expect(new Set(schedule.map(([, , , weightDecay]) => weightDecay))).toEqual(new Set([5e-4]));
});
