import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataError } from './errors.ts';
import { classCounts } from './examples.ts';
import { readManifest } from './manifest.ts';
import { findDatasets, listDatasets, loadDataset } from './registry.ts';
import { fashionMnist10k } from './sources.ts';

let root: string;
const log = vi.fn();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'glocal-user-'));
  vi.stubEnv('GLOCAL_DATA_DIR', root);
});

afterEach(() => {
  vi.unstubAllEnvs();
  log.mockReset();
  rmSync(root, { recursive: true });
});

/** Puts a data set with a manifest and other files into GLOCAL_DATA_DIR. */
function give(
  id: string,
  manifest: unknown,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): string {
  const folder = join(root, id);
  mkdirSync(folder, { recursive: true });
  const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
  writeFileSync(join(folder, 'dataset.json'), text);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** The error of loading a data set. */
async function refusal(id: string): Promise<DataError> {
  const failure = await loadDataset(id, { log }).catch((error: unknown) => error);
  if (!(failure instanceof DataError)) throw new Error(`not refused: ${failure}`);
  return failure;
}

/** A table of 20 rows, 15 of them cats. */
const PETS = [
  'name,weight,age,species',
  ...Array.from({ length: 20 }, (_, row) => `pet ${row},${row},${row / 10},${row % 4 === 3 ? 'dog' : 'cat'}`),
].join('\n');
const pets = {
  description: 'Twenty pets',
  format: 'csv',
  classes: ['cat', 'dog'],
  label: 'species',
  features: ['weight', 'age'],
  train: 'pets.csv',
  testFraction: 0.2,
};

/** An npy file of bytes. */
function npy(shape: readonly number[], values: readonly number[]): Uint8Array {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')},), }\n`;
  const length = Buffer.of(header.length & 255, header.length >> 8);
  const magic = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
  return Buffer.concat([magic, length, Buffer.from(header), Uint8Array.from(values)]);
}

/** As `numpy.savez(file, x=numpy.arange(6, dtype='f4').reshape(3, 2), y=numpy.array([0, 1, 1]))` wrote it. */
const NPZ = Buffer.from(
  'UEsDBBQAAAAAAAAAIQDMypy9mAAAAJgAAAAFABQAeC5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgzLCAyKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAgD8AAABAAABAQAAAgEAAAKBAUEsDBBQAAAAAAAAAIQAUR51kmAAAAJgAAAAFABQAeS5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxpOCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgzLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAAAABAAAAAAAAAAEAAAAAAAAAUEsBAhQDFAAAAAAAAAAhAMzKnL2YAAAAmAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAhQDFAAAAAAAAAAhABRHnWSYAAAAmAAAAAUAAAAAAAAAAAAAAIABzwAAAHkubnB5UEsFBgAAAAACAAIAZgAAAJ4BAAAAAA==',
  'base64',
);

describe('csv', () => {
  it('is loaded with a test part that has the proportions of the classes', async () => {
    give('pets', pets, { 'pets.csv': PETS });
    const { train, test, standardize } = await loadDataset('pets', { log });
    expect(train).toMatchObject({ count: 16, shape: [2], classes: 2 });
    expect(classCounts(train)).toEqual([12, 4]);
    expect(classCounts(test)).toEqual([3, 1]);
    expect(standardize).toBe(false);
    const weights = [train, test].flatMap(({ values }) => [...values].filter((_, place) => place % 2 === 0));
    expect(weights.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, row) => row));
  });

  it('has the same test part each time, and another for another seed', async () => {
    const load = async (testSeed?: number) => {
      give('pets', { ...pets, testSeed }, { 'pets.csv': PETS });
      return (await loadDataset('pets', { log })).test;
    };
    expect(await load()).toEqual(await load(0));
    expect(await load(1)).not.toEqual(await load(0));
  });

  it('is loaded from two files, whose columns may be in another order', async () => {
    const files = {
      'train.csv': 'a,b,species\n1,2,cat\n3,4,dog\n',
      'test.csv': 'species,b,a\ndog,6,5\n',
    };
    const { features, testFraction, ...rest } = pets;
    give('pets', { ...rest, train: 'train.csv', test: 'test.csv', standardize: true }, files);
    const { train, test, standardize } = await loadDataset('pets', { log });
    expect([...train.values]).toEqual([1, 2, 3, 4]);
    expect([...test.values]).toEqual([5, 6]);
    expect([...test.labels]).toEqual([1]);
    expect(standardize).toBe(true);
  });

  it('may have images in its rows', async () => {
    give('pets', { ...pets, inputShape: [1, 2, 1] }, { 'pets.csv': PETS });
    expect((await loadDataset('pets', { log })).train.shape).toEqual([1, 2, 1]);
    const folder = give('pets', { ...pets, inputShape: [2, 2, 1] }, { 'pets.csv': PETS });
    expect((await refusal('pets')).message).toBe(
      `${join(folder, 'pets.csv')} has examples of shape [2]; expected 4 numbers, as inputShape [2, 2, 1] says`,
    );
  });

  it('may have its classes numbered', async () => {
    give('pets', { ...pets, classes: 2 }, { 'pets.csv': PETS.replaceAll('cat', '0').replaceAll('dog', '1') });
    expect(classCounts((await loadDataset('pets', { log })).test)).toEqual([3, 1]);
  });

  it('may have a byte order mark in its manifest, and blanks around the names in it', async () => {
    const manifest = { ...pets, classes: [' cat', 'dog '], label: ' species' };
    give('pets', `\uFEFF${JSON.stringify(manifest)}`, { 'pets.csv': PETS });
    expect((await loadDataset('pets', { log })).train.count).toBe(16);
  });

  it('is refused for one cell, naming file, line and column', async () => {
    const folder = give('pets', pets, { 'pets.csv': PETS.replace('pet 7,7,', 'pet 7,?,') });
    expect(await refusal('pets')).toEqual(
      new DataError(
        'VALUE',
        `${join(folder, 'pets.csv')} line 9, column "weight" has "?"; expected a finite number`,
      ),
    );
  });

  it.each([0.01, 0.99])('is refused when a test part of %s leaves nothing', async (testFraction) => {
    const folder = give('pets', { ...pets, testFraction }, { 'pets.csv': PETS });
    expect(await refusal('pets')).toEqual(
      new DataError(
        'TOO_FEW_EXAMPLES',
        `${join(folder, 'dataset.json')}: testFraction ${testFraction} takes ${Math.round(20 * testFraction)} of 20 ` +
          'examples; expected some, but not all',
      ),
    );
  });
});

describe('npy, npz and idx', () => {
  const npyPets = {
    format: 'npy',
    classes: 3,
    train: { values: 'x.npy', labels: 'y.npy' },
    test: { values: 'x-test.npy', labels: 'y-test.npy' },
  };
  const files = {
    'x.npy': npy([3, 1, 2], [0, 1, 2, 3, 4, 5]),
    'y.npy': npy([3], [0, 1, 2]),
    'x-test.npy': npy([1, 1, 2], [255, 254]),
    'y-test.npy': npy([1], [2]),
  };

  it('are loaded from npy files', async () => {
    give('images', { ...npyPets, inputShape: [1, 2, 1] }, files);
    const { train, test } = await loadDataset('images', { log });
    expect(train).toMatchObject({ count: 3, shape: [1, 2, 1], classes: 3, labels: Int32Array.of(0, 1, 2) });
    expect([...train.values]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...test.values]).toEqual([255, 254]);
  });

  it('are refused when training and test part have other shapes', async () => {
    const folder = give('images', npyPets, { ...files, 'x-test.npy': npy([1, 2, 1], [255, 254]) });
    expect(await refusal('images')).toEqual(
      new DataError(
        'MISMATCH',
        `${join(folder, 'dataset.json')}: training examples are of shape [1,2], and test examples [2,1]; expected the same`,
      ),
    );
  });

  it('are loaded from an npz file', async () => {
    const part = { file: 'a.npz', values: 'x', labels: 'y' };
    give('table', { format: 'npz', classes: 2, train: part, test: part }, { 'a.npz': NPZ });
    const { train } = await loadDataset('table', { log });
    expect(train).toMatchObject({ count: 3, shape: [2], labels: Int32Array.of(0, 1, 1) });
    expect([...train.values]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('are loaded from idx files, grey images with one channel', async () => {
    const manifest = {
      format: 'idx',
      classes: 10,
      train: { values: 'train-images-idx3-ubyte.gz', labels: 'train-labels-idx1-ubyte.gz' },
      test: { values: 't10k-images-idx3-ubyte.gz', labels: 't10k-labels-idx1-ubyte.gz' },
    };
    const folder = give('mine', manifest);
    for (const name of readdirSync(fashionMnist10k.folder)) {
      copyFileSync(join(fashionMnist10k.folder, name), join(folder, name));
    }
    const { train, test } = await loadDataset('mine', { log });
    const original = await loadDataset('fashion-mnist-10k', { log });
    expect({ train, test }).toEqual(original);
  });
});

describe('a manifest', () => {
  it.each<[string, unknown, RegExp]>([
    ['is not JSON', '{ "format": csv }', /is not JSON: Unexpected token/],
    ['is not JSON and has control characters', '{ \u001b[31m', /^\P{Cc}*is not JSON: \P{Cc}*$/u],
    [
      'is of another format',
      { ...pets, format: 'parquet' },
      /format: .*'csv'.*'npy'.*'npz'.*'idx'|format: Invalid/,
    ],
    ['has an unknown key', { ...pets, lable: 'species' }, /"lable"/],
    ['lacks a key', { ...pets, label: undefined }, /label: .*expected string/],
    ['has one class', { ...pets, classes: ['cat'] }, /classes: Too small: .*>=2/],
    ['has a class twice', { ...pets, classes: ['cat', 'cat'] }, /classes: expected different names/],
    [
      'has no classes',
      { ...pets, classes: 'cat' },
      /classes: expected the names of the classes, or their number/,
    ],
    ['has a feature twice', { ...pets, features: ['age', 'age'] }, /features: expected different names/],
    ['has no test part', { ...pets, testFraction: undefined }, /test: expected either test, or testFraction/],
    ['has two test parts', { ...pets, test: 'pets.csv' }, /test: expected either test, or testFraction/],
    ['has a test part of all', { ...pets, testFraction: 1 }, /testFraction: .*<1/],
    ['has a shape of zero', { ...pets, inputShape: [0, 2] }, /inputShape\.0: .*>=1/],
    ['has a delimiter of two', { ...pets, delimiter: '::' }, /delimiter: /],
    ['is a list', [pets], /is invalid/],
  ])('that %s is refused, naming what is wrong', async (_, manifest, message) => {
    const folder = give('pets', manifest, { 'pets.csv': PETS });
    const { reason, message: found } = await refusal('pets');
    expect(reason).toBe('MANIFEST');
    expect(found).toMatch(message);
    expect(found).toContain(join(folder, 'dataset.json'));
  });

  it('tells everything that is wrong at once', async () => {
    give('pets', { ...pets, label: 3, testFraction: 2 });
    expect((await refusal('pets')).message).toMatch(/testFraction: .*; label: /);
  });

  it('that names a file which is not there is refused', async () => {
    const folder = give('pets', pets);
    const { reason, message } = await refusal('pets');
    expect(reason).toBe('UNREADABLE');
    expect(message).toMatch(`${join(folder, 'pets.csv')} cannot be read (ENOENT`);
  });

  it.each(['../secret.csv', '/etc/passwd', '.', 'inside/../../secret.csv', 'link.csv', 'linked/secret.csv'])(
    'may not leave its folder by %s',
    async (path) => {
      const folder = give('pets', { ...pets, train: path });
      writeFileSync(join(root, 'secret.csv'), PETS);
      symlinkSync(join(root, 'secret.csv'), join(folder, 'link.csv'));
      symlinkSync(root, join(folder, 'linked'));
      expect(await refusal('pets')).toEqual(
        new DataError(
          'MANIFEST',
          `${join(folder, 'dataset.json')} names ${path}, which is outside its folder; expected a path inside`,
        ),
      );
    },
  );

  it('may name files in folders below it, and be linked to as a whole', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'glocal-elsewhere-'));
    try {
      mkdirSync(join(elsewhere, 'tables'));
      writeFileSync(join(elsewhere, 'tables', 'pets.csv'), PETS);
      writeFileSync(join(elsewhere, 'dataset.json'), JSON.stringify({ ...pets, train: 'tables/pets.csv' }));
      symlinkSync(elsewhere, join(root, 'pets'));
      expect((await loadDataset('pets', { log })).train.count).toBe(16);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});

describe('docs/data.md', () => {
  const page = readFileSync(new URL('../../../../docs/data.md', import.meta.url), 'utf8');
  const blocks = (language: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
      ([, text]) => text as string,
    );

  it('has an example that can be loaded', async () => {
    const [manifest] = blocks('json');
    const [table] = blocks('csv');
    give('penguins', manifest, { 'penguins.csv': table as string });
    const { train, test, standardize } = await loadDataset('penguins', { log });
    expect(train).toMatchObject({ count: 9, shape: [4], classes: 3 });
    expect(classCounts(test)).toEqual([1, 1, 1]);
    expect(standardize).toBe(true);
  });

  it('has manifests that are right', async () => {
    const formats: string[] = [];
    for (const manifest of blocks('json')) {
      formats.push((await readManifest(give('example', manifest))).format);
    }
    expect(formats).toEqual(['csv', 'npz', 'idx']);
  });

  it('lists the data sets that Glocal knows, and every reason', () => {
    const listed = (heading: string) => {
      const section = page.slice(page.indexOf(`## ${heading}`)).split('\n## ')[0] ?? '';
      return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, code]) => code);
    };
    expect(listed('Data sets that Glocal knows')).toEqual(listDatasets().map(({ id }) => id));
    const source = readFileSync(new URL('./errors.ts', import.meta.url), 'utf8');
    const reasons = [...source.matchAll(/\| '([A-Z_]+)'/g)].map(([, reason]) => reason);
    expect(listed('Errors').sort()).toEqual(reasons.sort());
  });
});

describe('findDatasets', () => {
  it('lists what Glocal knows, then the data sets of the user', async () => {
    give('pets', pets, { 'pets.csv': PETS });
    const { datasets, broken } = await findDatasets({ log });
    expect(datasets.slice(0, -1)).toEqual(listDatasets());
    expect(datasets.at(-1)).toEqual({
      id: 'pets',
      description: 'Twenty pets',
      trainExamples: 16,
      testExamples: 4,
      classes: 2,
      inputShape: [2],
    });
    expect(broken.size).toBe(0);
    expect(log).not.toHaveBeenCalled();
  });

  it('leaves out what is broken, says why, and goes on', async () => {
    give('broken', '{');
    give('gone', pets);
    give('pets', pets, { 'pets.csv': PETS });
    const { datasets, broken } = await findDatasets({ log });
    expect(datasets.map(({ id }) => id)).toContain('pets');
    expect([...broken.keys()]).toEqual(['broken', 'gone']);
    expect(broken.get('gone')).toEqual(await refusal('gone'));
    expect(log.mock.calls.flat()).toEqual([
      expect.stringMatching(/^data set broken is left out: .*dataset\.json is not JSON/),
      expect.stringMatching(/^data set gone is left out: .*pets\.csv cannot be read/),
    ]);
  });

  it('tells of a folder whose name cannot be that of a data set', async () => {
    give('Iris', pets, { 'pets.csv': PETS });
    const { datasets, broken } = await findDatasets({ log });
    expect(datasets.map(({ id }) => id)).not.toContain('Iris');
    expect(log).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(/Iris is not used: "Iris" .*rename the folder$/),
    );
    expect(broken.get('Iris')?.message).toBe((await refusal('Iris')).message);
  });

  it('tells of manifests that nobody would find', async () => {
    mkdirSync(join(root, 'pets'));
    writeFileSync(join(root, 'pets', 'Dataset.json'), '{}');
    writeFileSync(join(root, 'dataset.json'), '{}');
    await findDatasets({ log });
    expect(log.mock.calls.flat()).toEqual([
      expect.stringMatching(/dataset\.json is not used: it belongs into a folder of its own/),
      expect.stringMatching(
        /pets\/Dataset\.json is not used: a manifest is called dataset\.json; rename it$/,
      ),
    ]);
  });

  it('does not let a folder take the name of a data set that Glocal knows', async () => {
    give('fashion-mnist-10k', pets, { 'pets.csv': PETS });
    expect((await findDatasets({ log })).datasets).toEqual(listDatasets());
    expect(log.mock.calls.flat()).toEqual([
      expect.stringMatching(/dataset\.json is not used: .*rename the folder/),
    ]);
    expect((await loadDataset('fashion-mnist-10k', { log })).train.count).toBe(10_000);
  });

  it.each(['', join('no', 'such', 'folder')])(
    'has nothing of a user where GLOCAL_DATA_DIR is "%s"',
    async (folder) => {
      vi.stubEnv('GLOCAL_DATA_DIR', folder);
      expect((await findDatasets({ log })).datasets).toEqual(listDatasets());
    },
  );
});

describe('loadDataset', () => {
  it('names the data sets of the user when it is asked for another', async () => {
    give('pets', pets);
    const { reason, message } = await refusal('cats');
    expect(reason).toBe('UNKNOWN_DATASET');
    expect(message).toMatch(/^there is no data set "cats"; one of fashion-mnist-10k, .*, pets$/);
  });

  it.each(['', '.', '..', '../pets', 'pets/', 'Pets', '/'])('knows no data set "%s"', async (id) => {
    give('pets', pets, { 'pets.csv': PETS });
    writeFileSync(join(root, 'dataset.json'), JSON.stringify(pets));
    expect((await refusal(id)).reason).toBe('UNKNOWN_DATASET');
  });
});
