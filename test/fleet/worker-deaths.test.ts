/** A trial that takes whole workers down is not given to one after the other without end. */

import { existsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { float, space } from '@glocal/sdk';
import { expect, it, vi } from 'vitest';
import { RoleFleet } from '../support/role-fleet.ts';
import { temporaryFolder } from '../support/trainer.ts';

const PATIENCE = { timeout: 240_000, interval: 50 };
const MOST = 3;

/** Ends the process that started the one that trains it, as one that takes all memory may, as long as a file is there. */
const killer = (armed: string): string => `
import { existsSync } from 'node:fs';
import { defineProblem, tf } from '@glocal/trainer/problem';
const loss = ({ w }, { x }) => tf.mean(tf.square(tf.mul(x, w)));
export default defineProblem({
  description: 'kills',
  build: () => {
    if (existsSync(${JSON.stringify(armed)})) process.kill(process.ppid, 'SIGKILL');
    return {
      parameters: { w: tf.ones([2]) },
      train: { x: tf.ones([8, 2]) },
      validation: { x: tf.ones([4, 2]) },
      loss,
      validationLoss: loss,
    };
  },
});
`;

it('a trial that has killed as many workers as it may is FAILED, and a caller may take it up again', async () => {
  await using folder = await temporaryFolder();
  const armed = join(folder.path, 'armed');
  writeFileSync(join(folder.path, 'kills.mjs'), killer(armed));
  await using fleet = await RoleFleet.start({
    workers: 0,
    args: ['--backend', 'cpu', '--problem-dir', folder.path, '--max-worker-deaths', String(MOST)],
  });
  const study = await fleet.client.studies.create({
    space: space({ lr: float({ min: 1e-3, max: 0.1, init: 0.01 }) }),
    problem: { module: 'kills', optimizer: 'sgd', batchSize: 4 },
    training: { steps: 20 },
    method: { estimator: 'mean', window: 10, sigma: 5 },
  });
  writeFileSync(armed, '');
  for (let deaths = 1; deaths <= MOST; deaths += 1) {
    const worker = fleet.another();
    await worker.start();
    expect(await worker.ended, 'killed').toBeNull();
    await vi.waitUntil(async () => (await study.trial()).workerDeaths === deaths, PATIENCE);
  }
  const failed = await study.trial();
  expect(failed).toMatchObject({ state: 'FAILED', attempts: MOST, crashes: 0 });
  expect(failed.stateReason).toMatch(
    /^its worker \S+ has not been heard of for \d+ s: that is worker number 3 /,
  );
  expect((await study.refresh()).state).toBe('FAILED');

  await rm(armed);
  expect(existsSync(armed)).toBe(false);
  await study.resume({ trials: [{ trial: failed.name }] });
  const worker = fleet.another();
  await worker.start();
  expect((await study.result()).trials[0]).toMatchObject({ state: 'SUCCEEDED', workerDeaths: 0 });
}, 600_000);
