/** A repeated request is the same as long as it asks for the same, whatever the server makes of it by now. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Study as StudyMessage, StudyState } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { fixed, type StudySpec, space } from '@glocal/sdk';
import { asComplete, completeDigest, SqliteStore } from '@glocal/trainer/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Channel } from '../support/grpc.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const requestId = 'nightly/2024-05-01';
const spec: StudySpec = {
  space: space({ lr: fixed(0.1) }),
  problem: { dataset: 'dots', model: 'logistic', optimizer: 'sgd', batchSize: 4 },
  training: { steps: 2 },
  method: { estimator: 'fixed', window: 1 },
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const start = () =>
  TestTrainer.start({ env: { GLOCAL_DATA_DIR: folder.path }, store: join(folder.path, 'studies.db') });

/** A data set of this many examples, a tenth of which are for validation unless a study says otherwise. */
async function writeDots(examples: number): Promise<void> {
  const data = join(folder.path, 'dots');
  await mkdir(data, { recursive: true });
  const manifest = { format: 'csv', train: 'train.csv', label: 'label', classes: 2, testFraction: 0.2 };
  await writeFile(join(data, 'dataset.json'), JSON.stringify(manifest));
  const rows = Array.from({ length: examples }, (_, i) => `${i / examples},${i % 2}`);
  await writeFile(join(data, 'train.csv'), ['x,label', ...rows].join('\n'));
}

it('a repeat finds its study when a default has changed meanwhile', async () => {
  await writeDots(50);
  let first: string;
  {
    await using trainer = await start();
    const study = await trainer.client.studies.create(spec, { requestId });
    await study.result();
    first = study.name;
    expect(study.problem.validationExamples).toBe(4);
  }
  await writeDots(100);
  await using trainer = await start();
  expect((await trainer.client.studies.validate(spec)).problem.validationExamples).toBe(8);
  expect(await trainer.client.studies.create(spec, { requestId })).toMatchObject({ name: first });
});

it('a repeat finds a study that is stored under the digest of its complete form', async () => {
  await writeDots(50);
  const store = join(folder.path, 'studies.db');
  let complete: StudyMessage;
  {
    await using trainer = await start();
    using channel = new Channel(trainer.address);
    const study = await trainer.client.studies.create(spec, { requestId: 'another' });
    const { name: _, ...stored } = await channel.unary(StudyServiceService.getStudy, { name: study.name });
    complete = {
      ...stored,
      name: '',
      state: StudyState.ACTIVE,
      stateReason: '',
      createTime: undefined,
      updateTime: undefined,
    };
  }
  {
    const stored = { ...complete, name: 'studies/earlier', state: StudyState.COMPLETED };
    const fingerprint = completeDigest(asComplete(complete));
    const sqlite = await SqliteStore.open(store);
    await sqlite.createStudy({ study: stored, trials: [], requestId, fingerprint, maxActiveStudies: 9 });
    await sqlite.close();
  }
  await using trainer = await start();
  expect(await trainer.client.studies.create(spec, { requestId })).toMatchObject({ name: 'studies/earlier' });
});
