/** Models and data sets that callers upload: studies train on them, and what is not right of them leaves nothing behind. */

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  StudyServiceService as Api,
  type Artifact,
  ArtifactKind,
  type UploadArtifactRequest,
} from '@glocal/proto/glocal/v1/study_service';
import { initBackend } from '@glocal/trainer/backend';
import { saveLayersModel } from '@glocal/trainer/engine';
import { type ServiceError, status } from '@grpc/grpc-js';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Channel } from '../support/grpc.ts';
import { rejection } from '../support/rejection.ts';
import { longStudy, quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';
import { type Files, uploadRequests } from '../support/upload.ts';

const { MODEL, DATASET } = ArtifactKind;

const cleanUp = new AsyncDisposableStack();
let store: string;
let modelFiles: Files;
let trainer: TestTrainer;
let channel: Channel;

/** 200 points of two classes. */
const PETS: Files = {
  'dataset.json': Buffer.from(
    JSON.stringify({
      ...{ description: 'Pets', format: 'csv', classes: ['cat', 'dog'] },
      ...{ label: 'species', train: 'pets.csv', testFraction: 0.2 },
    }),
  ),
  'pets.csv': Buffer.from(
    [
      'weight,age,species',
      ...Array.from({ length: 200 }, (_, i) => `${i % 7},${i % 5},${i % 2 ? 'dog' : 'cat'}`),
    ].join('\n'),
  ),
};

beforeAll(async () => {
  const { path } = cleanUp.use(await temporaryFolder());
  await initBackend({ backend: 'cpu', log: () => {} });
  const model = sequential({
    layers: [
      layers.dense({ inputShape: [2], units: 4, activation: 'elu' }),
      layers.dense({ units: 2, activation: 'softmax' }),
    ],
  });
  const folder = join(path, 'network');
  await saveLayersModel(model, folder);
  modelFiles = Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]),
  );
  store = join(path, 'studies.db');
  // As a server that was killed leaves them.
  mkdirSync(join(`${store}.artifacts`, 'half.incomplete'), { recursive: true });
  mkdirSync(join(`${store}.artifacts`, 'unknown'));
  await start();
});
afterAll(() => cleanUp.disposeAsync());

const LIMITS = [
  ...['--max-artifact-bytes', '20000', '--max-owner-artifact-bytes', '50000'],
  ...['--upload-idle-seconds', '3'],
];

async function start(): Promise<void> {
  trainer = cleanUp.use(await TestTrainer.start({ store, args: LIMITS }));
  channel = cleanUp.use(new Channel(trainer.address));
}

const kept = () => readdirSync(`${store}.artifacts`).sort();

const upload = (kind: ArtifactKind, files: Files): Promise<Artifact> =>
  channel.clientStream(Api.uploadArtifact, uploadRequests(kind, files));
const refusal = (kind: ArtifactKind, files: Files, size?: bigint) =>
  rejection<ServiceError>(channel.clientStream(Api.uploadArtifact, uploadRequests(kind, files, size)));
const problemOf = (dataset: string, model: string) => ({
  ...{ dataset, model, optimizer: 'sgd', batchSize: 16, validationExamples: 40 },
});

describe('an upload', () => {
  it('leaves nothing of an earlier one that was never finished', () => {
    expect(kept()).toEqual([]);
  });

  it.each<[string, () => Promise<ServiceError>, status, RegExp]>([
    [
      'lies about a size',
      () => refusal(DATASET, PETS, 3n),
      status.INVALID_ARGUMENT,
      /"dataset.json" is longer/,
    ],
    [
      'is not a model',
      () => refusal(MODEL, { 'model.json': Buffer.from('{}') }),
      status.INVALID_ARGUMENT,
      /^file: model.json is not a tfjs LayersModel/,
    ],
    [
      'lacks the weights of its model',
      () => refusal(MODEL, { 'model.json': modelFiles['model.json'] as Uint8Array }),
      status.INVALID_ARGUMENT,
      /^file: .*weights\.bin/,
    ],
    ['is a model without a model.json', () => refusal(MODEL, PETS), status.INVALID_ARGUMENT, /model\.json/],
    [
      'has a data set with a damaged file',
      () => refusal(DATASET, { ...PETS, 'pets.csv': Buffer.from('weight,age,species\n1,x,cat\n') }),
      status.INVALID_ARGUMENT,
      /^file: pets\.csv.*line 2/,
    ],
    [
      'is larger than one may be',
      () => refusal(DATASET, { ...PETS, 'more.csv': Buffer.alloc(20_000) }),
      status.RESOURCE_EXHAUSTED,
      /at most 20000 bytes/,
    ],
  ])('that %s is refused, and nothing of it is kept', async (_what, attempt, code, message) => {
    const { code: found, details } = await attempt();
    expect({ found, details }).toEqual({ found: code, details: expect.stringMatching(message) });
    expect(kept()).toEqual([]);
  });
});

it('an upload that goes silent is ended, and its place is free for others', async () => {
  using calls = new DisposableStack();
  const [header] = uploadRequests(DATASET, PETS);
  const silent = Array.from({ length: 8 }, () => {
    const call = calls.use(channel.converse(Api.uploadArtifact));
    call.send(header as UploadArtifactRequest);
    return rejection<ServiceError>(call.next());
  });
  // Sent on the same connection, after the others.
  expect((await refusal(DATASET, PETS)).details).toBe(
    '8 uploads are going on, as many as this server allows',
  );
  for (const error of await Promise.all(silent)) {
    expect(error).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: 'nothing came of the upload for 3 s, as long as this server waits; begin again',
    });
  }
  expect((await refusal(DATASET, {})).details).toBe('file: is missing: an artifact has at least one');
  expect(kept()).toEqual([]);
});

describe('artifacts', () => {
  let model: Artifact;
  let dataset: Artifact;

  it('are returned again when the same content comes again', async () => {
    dataset = await upload(DATASET, PETS);
    model = await upload(MODEL, modelFiles);
    expect(dataset).toMatchObject({
      kind: DATASET,
      displayName: 'mine',
      owner: '',
      createTime: expect.any(Date),
    });
    expect(dataset.files.map(({ path }) => path)).toEqual(['dataset.json', 'pets.csv']);
    expect(await upload(DATASET, Object.fromEntries(Object.entries(PETS).reverse()))).toEqual(dataset);
    expect(await channel.unary(Api.getArtifact, { name: model.name })).toEqual(model);
    const page = await channel.unary(Api.listArtifacts, { pageSize: 1, pageToken: '' });
    expect(page.artifacts).toEqual([model]);
    const { artifacts } = await channel.unary(Api.listArtifacts, {
      pageSize: 1,
      pageToken: page.nextPageToken,
    });
    expect(artifacts).toEqual([dataset]);
    expect(kept()).toEqual([model, dataset].map(({ name }) => name.split('/')[1]).sort());
  });

  it('train, also by the server that follows', async () => {
    await trainer[Symbol.asyncDispose]();
    await start();
    const spec = { ...quickStudy(), problem: problemOf(dataset.name, model.name) };
    const study = await trainer.client.studies.create(spec);
    const { state, stateReason } = await study.result();
    expect({ state, stateReason }).toEqual({ state: 'COMPLETED', stateReason: '1 of 1 trials succeeded' });
    const { datasets, models } = await trainer.client.problems();
    expect([...datasets, ...models].map(({ id }) => id).filter((id) => id.startsWith('artifacts/'))).toEqual(
      [],
    );
  });

  it('are checked against each other before anything trains, and unknown ones are refused', async () => {
    const validate = (data: string, network: string) =>
      rejection(trainer.client.studies.validate({ ...quickStudy(), problem: problemOf(data, network) }));
    expect((await validate('fashion-mnist-10k', model.name)).message).toMatch(
      /artifacts\/\w+ cannot be trained on fashion-mnist-10k: it takes examples of shape 2/,
    );
    expect((await validate('artifacts/none', 'mlp')).message).toMatch(/unknown data set "artifacts\/none"/);
    expect((await validate(model.name, 'mlp')).message).toMatch(/unknown data set/);
  });

  it('are kept while a study that names them has not ended; then they can be deleted, more than once', async () => {
    const spec = { ...longStudy(), problem: problemOf(dataset.name, 'mlp') };
    const study = await trainer.client.studies.create(spec);
    const error = await rejection<ServiceError>(channel.unary(Api.deleteArtifact, { name: dataset.name }));
    expect(error.code, error.details).toBe(status.FAILED_PRECONDITION);
    expect(error.details).toContain(study.name);
    await channel.unary(Api.cancelStudy, { name: study.name });
    await channel.unary(Api.deleteArtifact, { name: dataset.name });
    await channel.unary(Api.deleteArtifact, { name: dataset.name });
    expect(existsSync(join(`${store}.artifacts`, dataset.name.slice('artifacts/'.length)))).toBe(false);
    const get = await rejection<ServiceError>(channel.unary(Api.getArtifact, { name: dataset.name }));
    expect(get.code).toBe(status.NOT_FOUND);
  });

  it.each<[string, (name: string) => Promise<unknown>]>([
    ['GetArtifact', (name) => channel.unary(Api.getArtifact, { name })],
    ['DeleteArtifact', (name) => channel.unary(Api.deleteArtifact, { name })],
  ])('are asked for by their names: %s', async (_method, call) => {
    expect((await rejection<ServiceError>(call('artifacts/none'))).code).toBe(status.NOT_FOUND);
    expect((await rejection<ServiceError>(call('artifacts/../x'))).code).toBe(status.INVALID_ARGUMENT);
  });

  it('have a limit for all of one owner', async () => {
    const padded = (i: number) => ({ ...PETS, 'note.txt': Buffer.alloc(17_000, i) });
    await upload(DATASET, padded(1));
    await upload(DATASET, padded(2));
    const { code, details } = await refusal(DATASET, padded(3));
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(details).toMatch(/at most 50000 bytes together/);
  });
});
