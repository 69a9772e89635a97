/** Every row of every experiment, in both forms, is a study that the server takes. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { GlocalClient } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fineTuneArms } from '../../experiments/src/beyond/fine-tune.ts';
import { smallConvnet, upload } from '../../experiments/src/beyond/networks.ts';
import { datasetsOf, MissingDataError, requireDatasets } from '../../experiments/src/datasets.ts';
import {
  type Arm,
  type Experiment,
  isArm,
  type Lab,
  type Planned,
  type Size,
} from '../../experiments/src/experiment.ts';
import { EXPERIMENTS } from '../../experiments/src/registry.ts';
import { specOf } from '../../experiments/src/run.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

let trainer: TestTrainer;
let client: GlocalClient;
let out: string;
const cleanUp = new AsyncDisposableStack();
beforeAll(async () => {
  const data = cleanUp.use(await temporaryFolder()).path;
  out = cleanUp.use(await temporaryFolder()).path;
  await Promise.all([writeImages(join(data, 'kmnist')), writeTable(join(data, 'letters'))]);
  trainer = cleanUp.use(await TestTrainer.start({ env: { GLOCAL_DATA_DIR: data } }));
  client = trainer.client;
});
afterAll(() => cleanUp.disposeAsync());

/** What users bring, with examples enough for a mini-batch. */
async function writeImages(folder: string): Promise<void> {
  await mkdir(folder);
  for (const [part, count] of [
    ['train', 6_000],
    ['t10k', 100],
  ] as const) {
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
    await writeFile(
      join(folder, `${part}-images-idx3-ubyte.gz`),
      idx([count, 28, 28], new Uint8Array(count * 784)),
    );
    await writeFile(join(folder, `${part}-labels-idx1-ubyte.gz`), idx([count], labels));
  }
  const part = (name: string) => ({
    values: `${name}-images-idx3-ubyte.gz`,
    labels: `${name}-labels-idx1-ubyte.gz`,
  });
  const manifest = { format: 'idx', classes: 10, train: part('train'), test: part('t10k') };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(manifest));
}

const idx = (shape: readonly number[], bytes: Uint8Array): Uint8Array => {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt32BE(0x800 + shape.length);
  for (const [i, size] of shape.entries()) head.writeUInt32BE(size, 4 + 4 * i);
  return gzipSync(Buffer.concat([head, bytes]));
};

async function writeTable(folder: string): Promise<void> {
  await mkdir(folder);
  const rows = Array.from({ length: 8_000 }, (_, i) => `${'abc'[i % 3]},${i % 7},${i % 5}\n`);
  await writeFile(join(folder, 'letters.csv'), `letter,x,y\n${rows.join('')}`);
  const manifest = {
    ...{ format: 'csv', classes: ['a', 'b', 'c'], train: 'letters.csv', label: 'letter' },
    ...{ testFraction: 0.2, standardize: true },
  };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(manifest));
}

async function rowsOf(name: string, size: Size): Promise<readonly Planned[]> {
  const lab = { client, size, out, signal: new AbortController().signal, note: console.error };
  // What it trains first would need its data.
  if (name === 'fine-tune')
    return fineTuneArms(await upload(lab, await smallConvnet(console.error), 'untrained'), size);
  return EXPERIMENTS[name]?.arms(lab as Lab) ?? [];
}

async function armsOf(name: string, size: Size): Promise<readonly Arm[]> {
  return (await rowsOf(name, size)).filter(isArm);
}

const forms = Object.entries(EXPERIMENTS).flatMap(([name, { seeds }]) =>
  (['full', 'quick'] as const).filter((size) => seeds[size] !== undefined).map((size) => ({ name, size })),
);

/** They look into windows, take times, compare estimators, or choose between defaults, and do not tell how well the product trains. */
const OTHERS = [
  ...['spectrum', 'sigma-delay', 'runtime', 'held-phi', 'estimators', 'time-to-accuracy'],
  ...['defaults-wide', 'defaults-short', 'defaults-length', 'defaults-choice'],
];
const comparisons = forms.filter(({ name }) => !OTHERS.includes(name));

describe('the experiments', () => {
  it.each(forms)('$name, $size: every row is a study that the server takes', async ({ name, size }) => {
    const arms = await armsOf(name, size);
    expect(new Set(arms.map(({ id }) => id)).size).toBe(arms.length);
    const refused: string[] = [];
    for (const arm of arms) {
      try {
        const { predictedCost } = await client.studies.validate(specOf(arm, 1));
        expect(predictedCost).toBeGreaterThanOrEqual(1);
      } catch (error) {
        refused.push(`${arm.id}: ${error}`);
      }
    }
    expect(refused).toEqual([]);
  });

  it.each(forms)(
    '$name, $size: asks for the data that it trains on, and for no other',
    async ({ name, size }) => {
      const arms = await armsOf(name, size);
      // What comes with Glocal is always there, and fine-tuning begins with a network that has learned other data.
      const trained = arms.flatMap(({ spec: { problem } }) =>
        'dataset' in problem ? [problem.dataset] : [],
      );
      const asked = datasetsOf(EXPERIMENTS[name] as Experiment, size);
      expect(
        new Set([
          ...trained.filter((id) => id !== 'fashion-mnist-10k'),
          ...(name === 'fine-tune' ? ['mnist'] : []),
        ]),
      ).toEqual(new Set(asked));
    },
  );

  it.each(comparisons)('$name, $size: what is tuned stands beside controls', async ({ name, size }) => {
    const controls = (await armsOf(name, size)).filter(({ spec }) => spec.method?.estimator === 'fixed');
    const titles = controls.map(({ title }) => title).filter((title) => !/^(FIXED|no weights)$/.test(title));
    const everyKind = [
      ...[/^(SGD, constant(,|$)|FIXED, )/, /^SGD, constant with cooldown/, /^SGD, cosine/],
      ...[/^Schedule-Free SGD, constant/, /^Prodigy, cosine/],
    ];
    for (const kind of size === 'full' ? everyKind : [/./]) {
      expect(titles).toContainEqual(expect.stringMatching(kind));
    }
    if (size === 'quick') return;
    const later = (await rowsOf(name, size)).filter((row) => !isArm(row)).map(({ id }) => id);
    expect(later).toContainEqual(expect.stringContaining(': SGD at the rate of a range test'));
  });

  it('say what their quick form shortens', () => {
    for (const { seeds, shortened } of Object.values(EXPERIMENTS)) {
      expect(shortened === undefined).toBe(seeds.quick === undefined);
    }
  });

  it('tell of data that is missing: its files, where they are looked for, and how to get them', async () => {
    const refusal = requireDatasets(client, ['kmnist', 'cifar10', 'nothing']);
    await expect(refusal).rejects.toThrow(MissingDataError);
    const message = await refusal.catch(String);
    expect(message).toMatch(/^.*cifar10: .*data_batch_1\.bin.* not found\. To get them: .*GLOCAL_DATA_DIR/m);
    expect(message).toMatch(/^nothing: .*GLOCAL_DATA_DIR/m);
    expect(message).not.toContain('kmnist');
  });
});
