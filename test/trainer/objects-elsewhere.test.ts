/** Checkpoints and uploaded files in an S3-compatible store: a trial goes on where nothing of it was on the disk. */

import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OuterStep, Study } from '@glocal/sdk';
import { openObjects } from '@glocal/trainer/objects';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HttpGate } from '../support/gate.ts';
import { trainingProcesses, untilGone } from '../support/processes.ts';
import { rejection } from '../support/rejection.ts';
import { type S3Server, startS3rver } from '../support/s3.ts';
import { longStudy, type QuickSpace, quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';
import { catFiles } from '../support/upload.ts';

const cleanUp = new AsyncDisposableStack();
let server: S3Server;
beforeAll(async () => {
  server = cleanUp.use(await startS3rver());
  Object.assign(process.env, server.env);
});
afterAll(() => cleanUp.disposeAsync());

let parts = 0;
/** A part of the bucket for one test: the flags, and what is in it. */
function part(endpoint = server.endpoint) {
  const prefix = `test-${++parts}`;
  const location = { kind: 's3', bucket: server.bucket, prefix: `${prefix}/`, region: undefined } as const;
  const args = ['--objects', `s3://${server.bucket}/${prefix}`, '--objects-endpoint', endpoint];
  return { args, objects: openObjects({ ...location, endpoint: server.endpoint }) };
}

async function keys({ objects }: ReturnType<typeof part>): Promise<string[]> {
  return (await Array.fromAsync((await objects).list(''))).map(({ key }) => key).sort();
}

/** The store as it is on the disk, and nothing else, in a folder of another machine. */
function moved(store: string): string {
  const folder = join(dirname(store), 'another machine');
  mkdirSync(folder);
  for (const name of readdirSync(dirname(store)).filter((file) => file.startsWith('studies.db'))) {
    if (/^studies\.db(-wal|-shm)?$/.test(name)) {
      copyFileSync(join(dirname(store), name), join(folder, name));
    }
  }
  return join(folder, 'studies.db');
}

const reached = (study: Pick<Study<QuickSpace>, 'trial'>, index: number) =>
  vi.waitUntil(async () => (await study.trial()).outerStepsDone >= index, { timeout: 120_000, interval: 5 });

/** All there is to an outer step, but for names and times. */
const trajectoryOf = async (study: Study<QuickSpace>) =>
  (await Array.fromAsync(study.outerSteps({ includeWindows: true }))).map(
    ({ name: _name, trial: _trial, timing: _timing, report, ...rest }: OuterStep<QuickSpace>) => ({
      ...rest,
      report: report && { ...report, computeTime: 0 },
    }),
  );

/** Lines of the log that say it. */
const said = (trainer: TestTrainer, text: string) => trainer.log.filter((line) => line.includes(text));

describe('checkpoints in an S3-compatible store', { timeout: 240_000 }, () => {
  it('let a trial go on elsewhere, bit for bit, after kill -9', async () => {
    await using folder = await temporaryFolder();
    const bucket = part();
    const env = server.env;
    const store = join(folder.path, 'studies.db');
    await using first = await TestTrainer.start({ store, env, args: bucket.args });
    const spec = quickStudy({ estimator: 'mean', outerSteps: 10 });
    const undisturbed = await first.client.studies.create(spec);
    await undisturbed.result();
    await expect.poll(() => keys(bucket)).toEqual([]);
    const { name } = await first.client.studies.create(spec);
    await reached(await first.client.studies.get<QuickSpace>(name), 3);
    const trainers = trainingProcesses(first.pid);
    await first.kill();
    await untilGone(trainers);
    expect(existsSync(`${store}.checkpoints`)).toBe(false);
    const left = await keys(bucket);
    const id = name.split('/')[1];
    for (const key of left) expect(key).toMatch(new RegExp(`^checkpoints/${id}/0/\\d+\\.1\\.ckpt$`));
    expect(left.length).toBeGreaterThanOrEqual(2);

    await using second = await TestTrainer.start({ store: moved(store), env, args: bucket.args });
    const resumed = await second.client.studies.get<QuickSpace>(name);
    expect(await resumed.result()).toMatchObject({ state: 'COMPLETED' });
    expect(await resumed.trial()).toMatchObject({ attempts: 2, crashes: 0 });
    expect(said(second, 'goes on otherwise')).toEqual([]);
    const again = await second.client.studies.get<QuickSpace>(undisturbed.name);
    expect(await trajectoryOf(resumed)).toEqual(await trajectoryOf(again));
    await expect.poll(() => keys(bucket)).toEqual([]);
  });

  it('that is damaged is named, and the one before is used', async () => {
    await using folder = await temporaryFolder();
    const bucket = part();
    const env = server.env;
    const store = join(folder.path, 'studies.db');
    await using first = await TestTrainer.start({ store, env, args: bucket.args });
    const { name } = await first.client.studies.create(quickStudy({ estimator: 'mean', outerSteps: 400 }));
    await reached(await first.client.studies.get<QuickSpace>(name), 4);
    const trainers = trainingProcesses(first.pid);
    await first.kill();
    await untilGone(trainers);
    const objects = await bucket.objects;
    const number = (key: string) => Number(/(\d+)\.\d+\.ckpt$/.exec(key)?.[1]);
    const [, ...newer] = (await keys(bucket)).sort((one, other) => number(one) - number(other));
    for (const key of newer) {
      const bytes = Buffer.from((await objects.get(key)) ?? []);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await objects.put(key, bytes);
    }
    await using second = await TestTrainer.start({ store, env, args: bucket.args });
    const resumed = await second.client.studies.get<QuickSpace>(name);
    const { outerStepsDone } = await resumed.trial();
    await reached(resumed, outerStepsDone + 1);
    expect((await resumed.trial()).stateReason).toMatch(
      /checkpoint \d+ cannot be used: it is damaged: .*; outer steps \d+ to \d+ are trained again/,
    );
    await resumed.cancel();
  });

  it.each(['away', 'readOnly'] as const)('that is %s in the middle holds nothing up', async (gating) => {
    await using gate = await HttpGate.start(server.address);
    const bucket = part(gate.endpoint);
    await using trainer = await TestTrainer.start({ env: server.env, args: bucket.args });
    const study = await trainer.client.studies.create(longStudy({ estimator: 'mean' }));
    await reached(study, 3);
    gate.gating = gating;
    const { outerStepsDone } = await study.trial();
    await reached(study, outerStepsDone + 10);
    const trial = await study.trial();
    expect(trial).toMatchObject({ state: 'RUNNING' });
    expect(said(trainer, 'no checkpoint can be written')).toHaveLength(1);
    expect(said(trainer, 'no checkpoint can be written')[0]).toMatch(
      gating === 'away' ? /\(--objects\) cannot be reached/ : /\(--objects\) refuses: AccessDenied/,
    );
    const before = await keys(bucket);
    gate.gating = 'open';
    await expect.poll(async () => (await keys(bucket)).at(-1), { timeout: 20_000 }).not.toBe(before.at(-1));
    await study.cancel();
    expect(trainer.log.join('\n')).not.toContain(server.env.AWS_SECRET_ACCESS_KEY ?? '');
  });

  it('that cannot be read lets a trial wait, with the reason, and go on later, bit for bit', async () => {
    await using gate = await HttpGate.start(server.address);
    const bucket = part(gate.endpoint);
    await using trainer = await TestTrainer.start({ env: server.env, args: bucket.args });
    const spec = quickStudy({ estimator: 'mean', outerSteps: 12 });
    const undisturbed = await trainer.client.studies.create(spec);
    await undisturbed.result();
    const study = await trainer.client.studies.create(spec);
    await reached(study, 3);
    gate.gating = 'away';
    for (const { pid } of trainingProcesses(trainer.pid)) process.kill(pid, 'SIGKILL');
    await vi.waitUntil(async () => (await study.trial()).state === 'PAUSED', { timeout: 60_000 });
    expect((await study.trial()).stateReason).toMatch(
      /^its checkpoints cannot be read: the object store .* \(--objects\) cannot be reached: .*; it goes on after outer step \d+$/,
    );
    expect((await trainer.client.studies.get(study.name)).state).toBe('ACTIVE');
    gate.gating = 'open';
    expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
    expect(await trajectoryOf(study)).toEqual(await trajectoryOf(undisturbed));
    expect(said(trainer, 'a trial goes on, as the object store answers')).toHaveLength(1);
  });

  it('that is not there at the start, or refuses, ends it with a line that names the setting', async () => {
    const start = (...args: string[]) => rejection<Error>(TestTrainer.start({ env: server.env, args }));
    const none = await start('--objects', 's3://no-such-bucket', '--objects-endpoint', server.endpoint);
    expect(none.message).toMatch(
      /the object store s3:\/\/no-such-bucket\/checkpoints\/ at \S+ \(--objects\) refuses: NoSuchBucket/,
    );
    await using gate = await HttpGate.start(server.address);
    gate.gating = 'away';
    const away = await start(...part(gate.endpoint).args);
    expect(away.message).toMatch(/\(--objects\) cannot be reached/);
  });
});

describe('uploaded files in an S3-compatible store', { timeout: 240_000 }, () => {
  const cats = () => Object.entries(catFiles()).map(([path, content]) => ({ path, content }));
  const study = (dataset: string) => ({
    ...quickStudy({ estimator: 'mean' }),
    problem: { dataset, model: 'logistic', optimizer: 'sgd', batchSize: 1, validationExamples: 1 } as const,
  });

  it('are trained on elsewhere, and gone when they are deleted', async () => {
    await using folder = await temporaryFolder();
    const bucket = part();
    const env = server.env;
    const store = join(folder.path, 'studies.db');
    let dataset: string;
    {
      await using first = await TestTrainer.start({ store, env, args: bucket.args });
      const { name, files } = await first.client.artifacts.upload(cats());
      dataset = name;
      const sums = files.map(({ sha256 }) => `artifacts/${name.split('/')[1]}/${sha256}`);
      expect(await keys(bucket)).toEqual(sums.sort());
      // The same again is the same, and leaves nothing.
      expect((await first.client.artifacts.upload(cats())).name).toBe(name);
      expect(await keys(bucket)).toEqual(sums);
    }
    const elsewhere = moved(store);
    await using second = await TestTrainer.start({ store: elsewhere, env, args: bucket.args });
    const trained = await second.client.studies.create(study(dataset));
    expect(await trained.result()).toMatchObject({ state: 'COMPLETED' });
    expect(readdirSync(join(`${elsewhere}.artifacts`, dataset.split('/')[1] ?? '')).sort()).toEqual([
      'cats.csv',
      'dataset.json',
    ]);
    await second.client.artifacts.delete(dataset);
    expect(await keys(bucket)).toEqual([]);
    expect(readdirSync(`${elsewhere}.artifacts`)).toEqual([]);
  });

  it('that are damaged, or cannot be had for now, are not trained on', async () => {
    await using folder = await temporaryFolder();
    await using gate = await HttpGate.start(server.address);
    const bucket = part(gate.endpoint);
    const env = server.env;
    const store = join(folder.path, 'studies.db');
    let dataset: string;
    {
      await using first = await TestTrainer.start({ store, env, args: bucket.args });
      dataset = (await first.client.artifacts.upload(cats())).name;
    }
    await using second = await TestTrainer.start({ store: moved(store), env, args: bucket.args });
    gate.gating = 'away';
    const refused = await rejection<Error>(second.client.artifacts.upload(cats().slice(0, 1)));
    expect(refused.message).not.toBe('');
    const waits = await second.client.studies.create(study(dataset));
    await vi.waitUntil(async () => (await waits.trial()).state === 'PAUSED', { timeout: 60_000 });
    expect((await waits.trial()).stateReason).toMatch(
      /^the files of artifacts\/\S+ cannot be read: .*--objects/,
    );
    gate.gating = 'open';
    const objects = await bucket.objects;
    const [damaged = ''] = await keys(bucket);
    await objects.put(damaged, Buffer.from('other content'));
    const { trials } = await waits.result().catch(() => ({ trials: [] }));
    expect(trials.map(({ state }) => state)).not.toContain('SUCCEEDED');
    expect((await waits.trial()).stateReason).toMatch(
      /of artifacts\/\S+ is damaged where it is kept: its SHA-256 is/,
    );
  });
});
