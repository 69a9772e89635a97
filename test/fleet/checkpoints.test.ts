/** A fleet with nothing but a database: a trial goes on on another machine from the checkpoint that is there. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Study } from '@glocal/sdk';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { trainingProcesses, untilGone } from '../support/processes.ts';
import { type FleetProcess, RoleFleet } from '../support/role-fleet.ts';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { trajectoryOf } from '../support/trajectory.ts';
import { catFiles } from '../support/upload.ts';

const OUTER_STEPS = 12;

let fleet: RoleFleet;
beforeAll(async () => {
  fleet = await RoleFleet.start({ servers: 1, workers: 2, args: ['--max-running-trials', '1'] });
});
afterAll(() => fleet[Symbol.asyncDispose]());

vi.setConfig({ testTimeout: 240_000 });

/** Keys of all that is in the database. */
const objects = async () =>
  (await fleet.postgres.run('SELECT key FROM glocal.objects ORDER BY key', fleet.url)).map(({ key }) =>
    String(key),
  );

const outerStepsOf = async (study: Study<QuickSpace>) =>
  trajectoryOf(await Array.fromAsync(study.outerSteps({ includeWindows: true })));

const trains = ({ pid }: FleetProcess) => trainingProcesses(pid).length > 0;

it('a worker that is killed is followed by one that has never seen its disk, bit for bit', async () => {
  const spec = quickStudy({ estimator: 'mean', outerSteps: OUTER_STEPS });
  const undisturbed = await fleet.client.studies.create(spec);
  await undisturbed.result();
  await expect.poll(objects).toEqual([]);

  const study = await fleet.client.studies.create(spec);
  await vi.waitUntil(async () => (await study.trial()).outerStepsDone >= 3, { timeout: 60_000, interval: 5 });
  const first = fleet.workers.find(trains) as FleetProcess;
  const processes = trainingProcesses(first.pid);
  await first.kill();
  await untilGone(processes);
  const { outerStepsDone } = await study.trial();
  expect(outerStepsDone).toBeLessThan(OUTER_STEPS);
  // That of the last outer step that is stored was there before it.
  const id = study.name.split('/')[1];
  expect(await objects()).toContain(`checkpoints/${id}/0/${outerStepsDone}.1.ckpt`);

  expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
  const trial = await study.trial();
  expect(trial).toMatchObject({ attempts: 2, crashes: 0 });
  expect(trial.stateReason).not.toContain('trained again');
  expect(await outerStepsOf(study)).toEqual(await outerStepsOf(undisturbed));
  const logs = fleet.workers.flatMap(({ log }) => log);
  expect(logs.filter((line) => line.includes('goes on otherwise'))).toEqual([]);
  for (const { folder } of fleet.processes) expect(existsSync(folder)).toBe(false);
  await expect.poll(objects).toEqual([]);
  await first.start();
});

it('what is uploaded to a server is trained on by workers elsewhere', async () => {
  const files = Object.entries(catFiles()).map(([path, content]) => ({ path, content }));
  const artifact = await fleet.client.artifacts.upload(files);
  const id = artifact.name.split('/')[1] ?? '';
  expect(await objects()).toEqual(artifact.files.map(({ sha256 }) => `artifacts/${id}/${sha256}`).sort());
  const study = await fleet.client.studies.create({
    ...quickStudy({ estimator: 'mean' }),
    problem: {
      ...{ dataset: artifact.name, model: 'logistic', optimizer: 'sgd' },
      ...{ batchSize: 1, validationExamples: 1 },
    },
  });
  expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
  const copies = fleet.workers.map(({ folder }) => existsSync(join(folder, 'studies.artifacts', id)));
  expect(copies).toContain(true);
  await fleet.client.artifacts.delete(artifact.name);
  await expect.poll(objects).toEqual([]);
});
