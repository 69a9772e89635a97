/**
 * Two machines that serve and train, with nothing in common but a PostgreSQL database and an S3-compatible store: MinIO where Go
 * is, else s3rver. One of them is killed.
 */

import { existsSync } from 'node:fs';
import { GlocalClient, type Study } from '@glocal/sdk';
import { openObjects } from '@glocal/trainer/objects';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { hasGo } from '../support/go.ts';
import { trainingProcesses, untilGone } from '../support/processes.ts';
import { type FleetProcess, RoleFleet } from '../support/role-fleet.ts';
import { type S3Server, startMinio, startS3rver } from '../support/s3.ts';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { temporaryFolder } from '../support/trainer.ts';
import { trajectoryOf } from '../support/trajectory.ts';
import { catFiles } from '../support/upload.ts';

const PATIENCE = { timeout: 400_000, interval: 50 };
/** Of a tiny data set: so many that there is time for a kill. */
const MANY = 60;

const cleanUp = new AsyncDisposableStack();
let server: S3Server;
let fleet: RoleFleet;
beforeAll(async () => {
  const programs = cleanUp.use(await temporaryFolder()).path;
  server = cleanUp.use(hasGo ? await startMinio(programs) : await startS3rver());
  Object.assign(process.env, server.env);
  const objects = ['--objects', `s3://${server.bucket}/fleet`, '--objects-endpoint', server.endpoint];
  fleet = cleanUp.use(
    await RoleFleet.start({
      ...{ servers: 0, workers: 0, both: 2, env: server.env },
      args: ['--backend', 'wasm', '--max-running-trials', '1', ...objects],
    }),
  );
}, 3_000_000);
afterAll(() => cleanUp.disposeAsync());

/** Of each machine. */
let one: GlocalClient;
let other: GlocalClient;
beforeEach(async () => {
  await fleet.revive();
  const [first, second] = fleet.processes.map(({ address }) => GlocalClient.connect({ address }));
  one = (await first) as GlocalClient;
  other = (await second) as GlocalClient;
});
afterEach(async () => {
  await one[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

vi.setConfig({ testTimeout: 1_500_000 });

const cats = () => Object.entries(catFiles()).map(([path, content]) => ({ path, content }));
const reached = (study: Study<QuickSpace>, outerSteps: number) =>
  vi.waitUntil(async () => (await study.trial()).outerStepsDone >= outerSteps, PATIENCE);
const trains = ({ pid }: FleetProcess) => trainingProcesses(pid).length > 0;

async function keys(): Promise<string[]> {
  const location = { kind: 's3', bucket: server.bucket, prefix: 'fleet/', region: undefined } as const;
  const objects = await openObjects({ ...location, endpoint: server.endpoint });
  return (await Array.fromAsync(objects.list(''))).map(({ key }) => key).sort();
}

async function stepsOf({ name }: Study<QuickSpace>): Promise<unknown> {
  const study = await fleet.client.studies.get<QuickSpace>(name);
  return trajectoryOf(await Array.fromAsync(study.outerSteps({ includeWindows: true })));
}

it('what is uploaded to one is trained on at the other, and goes on there when the one that trains is killed', async () => {
  const { name: dataset, files } = await one.artifacts.upload(cats());
  const uploads = files.map(({ sha256 }) => `artifacts/${dataset.split('/')[1]}/${sha256}`).sort();
  expect(await keys()).toEqual(uploads);
  const spec = {
    ...quickStudy({ estimator: 'mean', outerSteps: MANY }),
    problem: { dataset, model: 'logistic', optimizer: 'sgd', batchSize: 1, validationExamples: 1 } as const,
  };
  const undisturbed = await one.studies.create(spec);
  await undisturbed.result();
  const { name } = await other.studies.create(spec);
  const study = await fleet.client.studies.get<QuickSpace>(name);
  await reached(study, 3);
  const killed = fleet.workers.find(trains) as FleetProcess;
  const processes = trainingProcesses(killed.pid);
  await killed.kill();
  await untilGone(processes);
  const { outerStepsDone } = await study.trial();
  expect(outerStepsDone).toBeLessThan(MANY);
  expect(await keys()).toContain(`checkpoints/${name.split('/')[1]}/0/${outerStepsDone}.1.ckpt`);
  expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
  expect(await study.trial()).toMatchObject({ attempts: 2, crashes: 0 });
  expect(await stepsOf(study)).toEqual(await stepsOf(undisturbed));
  expect(existsSync(`${killed.folder}/studies.checkpoints`)).toBe(false);
  await fleet.revive();
  // Checkpoints go with the end of the trial, the upload when it is deleted, through whichever server.
  await fleet.client.artifacts.delete(dataset);
  await expect.poll(keys, PATIENCE).toEqual([]);
});
