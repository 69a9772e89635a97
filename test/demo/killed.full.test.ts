/** The demo, killed at moments that follow from a seed and started again at once, over and over. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Random } from '../faults/random.ts';
import { demo, outerStepsIn, tableOf } from '../support/demo.ts';
import { temporaryFolder } from '../support/trainer.ts';

const MAX_KILLS = 12;
/** Milliseconds from a start to its kill: from before the server is up to the middle of a run. */
const LIFE = [300, 8_000] as const;

it('goes on where it was and ends with the same table', { timeout: 900_000 }, async () => {
  await using folder = await temporaryFolder();
  const start = (out: string) =>
    demo('--steps', '300', '--runs', 'fixed,glocal', '--out', join(folder.path, out));
  const random = new Random(1);
  let kills = 0;
  let running = start('killed');
  while (kills < MAX_KILLS) {
    await Promise.race([sleep(random.between(...LIFE)), running]);
    running.kill('SIGKILL');
    if ((await running).signal !== 'SIGKILL') break;
    kills += 1;
    running = start('killed');
  }
  const { exitCode, stderr, stdout } = await running;
  expect(exitCode, stderr).toBe(0);
  expect(kills).toBeGreaterThan(2);
  expect(stderr).toContain('goes on where it was interrupted');
  expect(existsSync(join(folder.path, 'killed', 'unfinished.json'))).toBe(false);

  const whole = await start('whole');
  expect(tableOf(stdout)).toEqual(tableOf(whole.stdout));
  expect(await outerStepsIn(join(folder.path, 'killed'))).toEqual(
    await outerStepsIn(join(folder.path, 'whole')),
  );
});
