/**
 * Two machines that serve and train, with nothing in common but a PostgreSQL database and an S3-compatible store: MinIO where Go
 * is, else s3rver. One is killed; then the store is away, read-only and full in turn.
 */

import { existsSync } from 'node:fs';
import { GlocalClient, type Study } from '@glocal/sdk';
import { openObjects } from '@glocal/trainer/objects';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Gating, HttpGate } from '../support/gate.ts';
import { hasGo } from '../support/go.ts';
import { trainingProcesses, untilGone } from '../support/processes.ts';
import { rejection } from '../support/rejection.ts';
import { type FleetProcess, RoleFleet } from '../support/role-fleet.ts';
import { type S3Server, startMinio, startS3rver } from '../support/s3.ts';
import { canMount, SmallDisk, whereDisksAre } from '../support/small-disk.ts';
import { longStudy, type QuickSpace, quickStudy } from '../support/studies.ts';
import { temporaryFolder } from '../support/trainer.ts';
import { trajectoryOf } from '../support/trajectory.ts';
import { catFiles } from '../support/upload.ts';

const PATIENCE = { timeout: 400_000, interval: 50 };
const OUTER_STEPS = 12;
/** Of a tiny data set: so many that there is time for a kill. */
const MANY = 60;
/** MinIO takes nothing when it is nearly full. */
const DISK = 256 << 20;

const cleanUp = new AsyncDisposableStack();
let server: S3Server;
let gate: HttpGate;
let disk: SmallDisk | undefined;
let fleet: RoleFleet;
beforeAll(async () => {
  const programs = cleanUp.use(await temporaryFolder()).path;
  disk = canMount && hasGo ? cleanUp.use(SmallDisk.mount(DISK)) : undefined;
  server = cleanUp.use(hasGo ? await startMinio(programs, disk?.path) : await startS3rver());
  Object.assign(process.env, server.env);
  gate = cleanUp.use(await HttpGate.start(server.address));
  const objects = ['--objects', `s3://${server.bucket}/fleet`, '--objects-endpoint', gate.endpoint];
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
  disk?.free();
  gate.gating = 'open';
  // A test that fails must not take the others along.
  for await (const study of fleet.client.studies.list({ states: ['ACTIVE', 'PAUSED'] })) await study.cancel();
  await one[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

vi.setConfig({ testTimeout: 1_500_000 });

const cats = (description?: string) =>
  Object.entries(catFiles(description)).map(([path, content]) => ({ path, content }));
const reached = (study: Study<QuickSpace>, outerSteps: number) =>
  vi.waitUntil(async () => (await study.trial()).outerStepsDone >= outerSteps, PATIENCE);
const trains = ({ pid }: FleetProcess) => trainingProcesses(pid).length > 0;
/** Lines of the logs that say it. @param since milliseconds since 1970 */
const said = (text: string, since = 0) =>
  fleet.processes
    .flatMap(({ log }) => log)
    .filter((line) => line.includes(text) && (JSON.parse(line) as { readonly time: number }).time >= since);

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

describe('an object store', () => {
  const FAILURES: readonly (readonly [what: string, gating: Gating, says: RegExp])[] = [
    ['that is away', 'away', /\(--objects\) cannot be reached/],
    ['that is read-only', 'readOnly', /\(--objects\) refuses: AccessDenied/],
    ['that is full', 'full', /\(--objects\) is full: XMinioStorageFull/],
  ];

  it.each(FAILURES)('%s lets trials train on, and refuses uploads with the key', async (_, gating, says) => {
    const study = await other.studies.create(longStudy({ estimator: 'mean' }));
    await reached(study, 3);
    const since = Date.now();
    gate.gating = gating;
    const { outerStepsDone } = await study.trial();
    await reached(study, outerStepsDone + 10);
    expect(await study.trial()).toMatchObject({ state: 'RUNNING', attempts: 1 });
    const lines = said('no checkpoint can be written', since);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(says);
    const refused = await rejection<Error>(one.artifacts.upload(cats(gating)));
    expect(refused.message).toMatch(says);
    gate.gating = 'open';
    // Everything by itself.
    const kept = await keys();
    await expect.poll(async () => (await keys()).at(-1), PATIENCE).not.toBe(kept.at(-1));
    await study.cancel();
  });

  it.skipIf(!canMount || !hasGo)(
    `whose disk is really full is said to be full, and goes on by itself${hasGo ? whereDisksAre : ''}`,
    async () => {
      const study = await other.studies.create(longStudy({ estimator: 'mean' }));
      await reached(study, 3);
      disk?.fill();
      await vi.waitUntil(
        () => said('no checkpoint can be written').some((line) => line.includes('is full')),
        PATIENCE,
      );
      const refused = await rejection<Error>(one.artifacts.upload(cats('on a full disk')));
      expect(refused.message).toMatch(/\(--objects\) is full/);
      const { outerStepsDone } = await study.trial();
      await reached(study, outerStepsDone + 5);
      disk?.free();
      const kept = await keys();
      await expect.poll(async () => (await keys()).at(-1), PATIENCE).not.toBe(kept.at(-1));
      const { name } = await one.artifacts.upload(cats('with room'));
      await other.artifacts.delete(name);
      await study.cancel();
    },
  );

  it('that is away when a trial is to go on elsewhere lets it wait, with the reason, and go on later', async () => {
    const spec = quickStudy({ estimator: 'mean', outerSteps: OUTER_STEPS });
    const undisturbed = await one.studies.create(spec);
    await undisturbed.result();
    const { name } = await one.studies.create(spec);
    const study = await fleet.client.studies.get<QuickSpace>(name);
    await reached(study, 3);
    gate.gating = 'away';
    await fleet.workers.find(trains)?.kill();
    await vi.waitUntil(async () => (await study.trial()).state === 'PAUSED', PATIENCE);
    expect((await study.trial()).stateReason).toMatch(
      /^its checkpoints cannot be read: the object store .* \(--objects\) cannot be reached/,
    );
    gate.gating = 'open';
    expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
    expect(await stepsOf(study)).toEqual(await stepsOf(undisturbed));
  });
});
