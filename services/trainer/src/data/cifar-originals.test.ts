import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createTar } from 'nanotar';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadCifar } from './cifar-originals.ts';
import { DataError } from './errors.ts';
import { allIndices } from './examples.ts';
import { type CifarSource, cifar10, cifar100 } from './sources.ts';
import { measure } from './standardize.ts';

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

/** A file of two records, with these classes and all pixels the same. */
const records = (labels: readonly [number, number], pixel: number): Uint8Array =>
  Uint8Array.from(labels.flatMap((label) => [label, ...Array<number>(3072).fill(pixel)]));

const FILES = new Map([
  ['data_batch_1.bin', records([0, 0], 1)],
  ['data_batch_2.bin', records([1, 1], 2)],
  ['test_batch.bin', records([0, 1], 3)],
]);
const bytesOf = (name: string): Uint8Array => FILES.get(name) as Uint8Array;

const ARCHIVE = gzipSync(
  createTar([
    { name: 'tiny-batches-bin/readme.html', data: 'not asked for' },
    ...[...FILES].map(([name, data]) => ({ name: `tiny-batches-bin/${name}`, data })),
  ]),
);

const part = (...names: string[]) => ({
  files: names.map((name) => ({ name, md5: md5(bytesOf(name)) })),
  records: 2,
});
const tiny = (sites: readonly string[], archive = ARCHIVE): CifarSource => ({
  info: {
    id: 'tiny',
    description: '',
    trainExamples: 4,
    testExamples: 2,
    classes: 2,
    inputShape: [32, 32, 3],
  },
  format: { labels: [2] },
  train: part('data_batch_1.bin', 'data_batch_2.bin'),
  test: part('test_batch.bin'),
  archive: { name: 'tiny-binary.tar.gz', folder: 'tiny-batches-bin', md5: md5(archive) },
  sites,
});

let root: string;
let cache: string;
let server: Server | undefined;
const log = vi.fn();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'glocal-cifar-'));
  cache = join(root, 'cache', 'data', 'tiny');
  vi.stubEnv('GLOCAL_DATA_DIR', join(root, 'given'));
  vi.stubEnv('GLOCAL_CACHE_DIR', join(root, 'cache'));
});

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  vi.unstubAllEnvs();
  log.mockReset();
  rmSync(root, { recursive: true });
});

function give(folder: string, files: ReadonlyMap<string, Uint8Array> = FILES): string {
  const path = join(root, 'given', folder);
  mkdirSync(path, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(path, name), bytes);
  return path;
}

/** A site that answers everything with the archive, and what was asked of it. */
async function siteWith(content: Uint8Array): Promise<{ site: string; asked: string[] }> {
  const asked: string[] = [];
  server = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.end(content);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { site: `http://127.0.0.1:${(server.address() as AddressInfo).port}/~kriz/`, asked };
}

const pixelOf = (values: ArrayLike<number>, example: number) => values[example * 3072];

describe('in GLOCAL_DATA_DIR', () => {
  it.each(['tiny', 'tiny-batches-bin', join('tiny', 'tiny-batches-bin')])(
    'reads the files in %s',
    async (folder) => {
      give(folder);
      const { train, test, standardize } = await loadCifar(tiny([]), { log });
      expect([...train.labels]).toEqual([0, 0, 1, 1]);
      expect([0, 1, 2, 3].map((example) => pixelOf(train.values, example))).toEqual([1, 1, 2, 2]);
      expect(test).toMatchObject({ count: 2, classes: 2, shape: [32, 32, 3] });
      expect(standardize).toBe(true);
      expect(log).not.toHaveBeenCalled();
      expect(existsSync(cache)).toBe(false);
    },
  );

  it('refuses a training file that is not the original', async () => {
    const other = records([1, 1], 9);
    const folder = give('tiny', new Map([...FILES, ['data_batch_2.bin', other]]));
    await expect(loadCifar(tiny([]), { log })).rejects.toEqual(
      new DataError(
        'CHECKSUM',
        `${join(folder, 'data_batch_2.bin')} is not the original: it has md5 ${md5(other)}; ` +
          `expected ${md5(bytesOf('data_batch_2.bin'))}`,
      ),
    );
  });

  it('uses a test file that is not the original if its records are in order, and says so', async () => {
    give('tiny', new Map([...FILES, ['test_batch.bin', records([1, 0], 9)]]));
    const { test } = await loadCifar(tiny([]), { log });
    expect(pixelOf(test.values, 0)).toBe(9);
    expect(log.mock.calls.flat()).toEqual([
      expect.stringMatching(
        /test_batch\.bin is not the original: .*; its records are in order, and it is used$/,
      ),
    ]);
  });

  it.each([
    ['has other classes', records([1, 1], 3), 'MISMATCH'],
    ['is cut off', records([0, 1], 3).subarray(1), 'SIZE'],
    ['is longer', Uint8Array.of(...records([0, 1], 3), 0), 'SIZE'],
  ])('refuses a test file that %s', async (_, bytes, reason) => {
    const folder = give('tiny', new Map([...FILES, ['test_batch.bin', bytes]]));
    await expect(loadCifar(tiny([]), { log })).rejects.toMatchObject({
      name: 'DataError',
      reason,
      message: expect.stringContaining(join(folder, 'test_batch.bin')),
    });
  });
});

describe('from the site', () => {
  it('unpacks the archive into the cache, once', async () => {
    const { site, asked } = await siteWith(ARCHIVE);
    for (const _ of [1, 2]) {
      const { train, test } = await loadCifar(tiny([site]), { log });
      expect([...train.labels, ...test.labels]).toEqual([0, 0, 1, 1, 0, 1]);
    }
    expect(asked).toEqual(['/~kriz/tiny-binary.tar.gz']);
    expect(log.mock.calls).toEqual([[`downloading ${site}tiny-binary.tar.gz`]]);
    expect(readdirSync(cache).sort()).toEqual([...FILES.keys()]);
  });

  it('fetches what is in the cache in part again', async () => {
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(cache, 'data_batch_1.bin'), bytesOf('data_batch_1.bin').subarray(0, 100));
    const { site } = await siteWith(ARCHIVE);
    const { train } = await loadCifar(tiny([site]), { log });
    expect(pixelOf(train.values, 0)).toBe(1);
  });

  it('fetches a file in the cache again that has the right size and other bytes', async () => {
    mkdirSync(cache, { recursive: true });
    for (const [name, bytes] of FILES) writeFileSync(join(cache, name), bytes);
    const damaged = Uint8Array.from(bytesOf('data_batch_1.bin'));
    damaged[1] = 99;
    writeFileSync(join(cache, 'data_batch_1.bin'), damaged);
    const { site, asked } = await siteWith(ARCHIVE);
    const { train } = await loadCifar(tiny([site]), { log });
    expect(pixelOf(train.values, 0)).toBe(1);
    expect(asked).toHaveLength(1);
    expect(log.mock.calls.flat()).toContainEqual(
      expect.stringMatching(/data_batch_1\.bin is not the original: .*; downloading it again$/),
    );
    expect(readFileSync(join(cache, 'data_batch_1.bin'))).toEqual(Buffer.from(bytesOf('data_batch_1.bin')));
  });

  it('goes on when the cache cannot be written, with one download', async () => {
    writeFileSync(join(root, 'cache'), 'a file where the folder would be');
    const { site, asked } = await siteWith(ARCHIVE);
    expect((await loadCifar(tiny([site]), { log })).test.count).toBe(2);
    expect(asked.length).toBe(1);
  });

  it('refuses another archive, and says what it expects where', async () => {
    const { site } = await siteWith(gzipSync('something else'));
    const failure = await loadCifar(tiny([site]), { log }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'DataError', reason: 'UNAVAILABLE' });
    const { message } = failure as DataError;
    expect(message).toMatch(
      `tiny: data_batch_1.bin is neither in ${join(root, 'given', 'tiny')} nor in ${cache}`,
    );
    expect(message).toMatch(`tiny-binary.tar.gz is not the original: it has md5 `);
    expect(message).toMatch(
      'a folder tiny that has data_batch_1.bin, data_batch_2.bin, test_batch.bin, or with the folder tiny-batches-bin',
    );
    expect(existsSync(cache)).toBe(false);
  });

  it('refuses an archive that lacks a file', async () => {
    const archive = gzipSync(createTar([{ name: 'data_batch_1.bin', data: bytesOf('data_batch_1.bin') }]));
    const { site } = await siteWith(archive);
    await expect(loadCifar(tiny([site], archive), { log })).rejects.toThrow(
      'tiny-binary.tar.gz lacks data_batch_2.bin',
    );
  });
});

/** What is known of the originals: their first labels and pixels, means and deviations of their training parts. */
const ORIGINALS = [
  {
    source: cifar10,
    firstLabels: [6, 9, 9, 4, 1],
    firstPixels: [59, 62, 63, 43, 46, 45],
    means: [0.4914, 0.48216, 0.44653],
    deviations: [0.24703, 0.24349, 0.26159],
  },
  {
    source: cifar100,
    firstLabels: [19, 29, 0, 11, 1],
    firstPixels: [255, 255, 255, 255, 255, 255],
    means: [0.50708, 0.48655, 0.44092],
    deviations: [0.26733, 0.25644, 0.27615],
  },
].map((original) => ({ ...original, id: original.source.info.id }));

const DATA_DIR = process.env.GLOCAL_DATA_DIR ?? '';
const isGiven = ({ source }: { source: CifarSource }): boolean =>
  [source.info.id, source.archive.folder].some((folder) => DATA_DIR && existsSync(join(DATA_DIR, folder)));

describe.skipIf(!ORIGINALS.some(isGiven)).each(ORIGINALS.filter(isGiven))(
  '$id in GLOCAL_DATA_DIR',
  ({ source, firstLabels, firstPixels, means, deviations }) => {
    it('has the images, the classes and the figures that are known of it', async () => {
      vi.stubEnv('GLOCAL_DATA_DIR', DATA_DIR);
      const { train, test } = await loadCifar(source, { log });
      const { trainExamples, testExamples, classes } = source.info;
      expect(train).toMatchObject({ count: trainExamples, classes });
      expect(test).toMatchObject({ count: testExamples, classes });
      expect([...train.labels.subarray(0, 5)]).toEqual(firstLabels);
      expect([...train.values.subarray(0, 6)]).toEqual(firstPixels);
      const found = measure(train, allIndices(train));
      expect([...found.means].map((mean) => Number(mean.toFixed(5)))).toEqual(means);
      expect([...found.deviations].map((deviation) => Number(deviation.toFixed(5)))).toEqual(deviations);
    });
  },
);
