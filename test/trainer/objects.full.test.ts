/** Stores of objects on MinIO, which compares sums and signatures, and lists uploads that go on. */

import { setTimeout as sleep } from 'node:timers/promises';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { objectStoreContract, openObjects } from '@glocal/trainer/objects';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { hasGo, whereGoIs } from '../support/go.ts';
import { trainingProcesses } from '../support/processes.ts';
import { type S3Server, startMinio } from '../support/s3.ts';
import { quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

describe.skipIf(!hasGo)(`MinIO${whereGoIs}`, () => {
  const cleanUp = new AsyncDisposableStack();
  let server: S3Server;
  beforeAll(async () => {
    const { path } = cleanUp.use(await temporaryFolder());
    server = cleanUp.use(await startMinio(path));
    Object.assign(process.env, server.env);
  }, 3_000_000);
  afterAll(() => cleanUp.disposeAsync());

  let opened = 0;
  /** An empty part of the bucket. */
  const open = (prefix = `tests/${++opened}/`) =>
    openObjects({
      ...{ kind: 's3', bucket: server.bucket, prefix },
      ...{ endpoint: server.endpoint, region: undefined },
    });

  objectStoreContract(open);

  it('removes uploads in parts that were left below a prefix, and no others', async () => {
    const objects = await open('sweep/ours/');
    const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true });
    const Bucket = server.bucket;
    for (const Key of ['sweep/ours/a/1', 'sweep/ours/b/1', 'sweep/others/1']) {
      await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    }
    const going = async () => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      return Uploads.map(({ Key }) => Key).sort();
    };
    expect(await going()).toEqual(['sweep/others/1', 'sweep/ours/a/1', 'sweep/ours/b/1']);
    await objects.discardIncomplete('a/', new Date(Date.now() - 60_000));
    expect(await going()).toHaveLength(3);
    await objects.discardIncomplete('a/');
    expect(await going()).toEqual(['sweep/others/1', 'sweep/ours/b/1']);
    await sleep(1_000);
    await objects.discardIncomplete('', new Date());
    expect(await going()).toEqual(['sweep/others/1']);
    client.destroy();
  });

  it('refuses who has another key, and says why', async () => {
    const { AWS_SECRET_ACCESS_KEY } = process.env;
    process.env.AWS_SECRET_ACCESS_KEY = 'another';
    const objects = await open();
    await expect(objects.put('a', Buffer.of(1))).rejects.toMatchObject({
      failure: 'refused',
      message: expect.stringContaining('(--objects) refuses: SignatureDoesNotMatch, HTTP 403'),
    });
    process.env.AWS_SECRET_ACCESS_KEY = AWS_SECRET_ACCESS_KEY;
  });

  it('lets a trial go on whose process was killed, and has nothing of it in the end', async () => {
    const part = ['--objects', `s3://${server.bucket}/trials`, '--objects-endpoint', server.endpoint];
    await using trainer = await TestTrainer.start({ env: server.env, args: part });
    const study = await trainer.client.studies.create(quickStudy({ estimator: 'mean', outerSteps: 40 }));
    const reached = async () => (await study.trial()).outerStepsDone >= 3;
    await vi.waitUntil(reached, { timeout: 120_000, interval: 5 });
    for (const { pid } of trainingProcesses(trainer.pid)) process.kill(pid, 'SIGKILL');
    const { trials } = await study.result();
    expect(trials[0]).toMatchObject({ state: 'SUCCEEDED', attempts: 2 });
    expect(trainer.log.filter((line) => line.includes('goes on otherwise'))).toEqual([]);
    const objects = await open('trials/');
    await expect.poll(() => Array.fromAsync(objects.list(''))).toEqual([]);
  }, 240_000);
});
