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
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataError } from './errors.ts';
import { encodeIdx, type IdxRank } from './idx.ts';
import { readOriginal } from './originals.ts';
import type { DataFile, IdxSource } from './sources.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A set of three images of 2×2 pixels. */
const IMAGES = encodeIdx([3, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
const LABELS = encodeIdx([3], [0, 1, 0]);
const OTHER = encodeIdx([3], [1, 1, 1]);
const file = (name: string, rank: IdxRank, bytes: Uint8Array): DataFile => ({
  name,
  rank,
  sha256: sha256(bytes),
});
const part = (name: string) => ({
  images: file(`${name}-images-idx3-ubyte.gz`, 3, IMAGES),
  labels: file(`${name}-labels-idx1-ubyte.gz`, 1, LABELS),
});
const tiny = (sites: readonly string[]): IdxSource => ({
  info: { id: 'tiny', description: '', trainExamples: 3, testExamples: 3, classes: 2, inputShape: [2, 2, 1] },
  train: part('train'),
  test: part('t10k'),
  sites,
});

let root: string;
let given: string;
let cache: string;
const log = vi.fn();
let servers: Server[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'glocal-originals-'));
  given = join(root, 'given', 'tiny');
  cache = join(root, 'cache', 'data', 'tiny');
  mkdirSync(given, { recursive: true });
  vi.stubEnv('GLOCAL_DATA_DIR', join(root, 'given'));
  vi.stubEnv('GLOCAL_CACHE_DIR', join(root, 'cache'));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  vi.unstubAllEnvs();
  log.mockReset();
  rmSync(root, { recursive: true });
});

/** Starts a site; its address ends with a slash. */
async function site(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/data/`;
}

/** A site that has the labels, and what was asked of it. */
async function siteWithLabels(): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const address = await site(({ url = '' }, response) => {
    asked.push(url);
    response.end(gzipSync(LABELS));
  });
  return { address, asked };
}

const readLabels = (source: IdxSource, signal?: AbortSignal) =>
  readOriginal(source, source.train.labels, { log, signal });

const LABELS_GZ = 'train-labels-idx1-ubyte.gz';

describe('in GLOCAL_DATA_DIR', () => {
  it.each([
    [LABELS_GZ, gzipSync(LABELS)],
    ['train-labels-idx1-ubyte', LABELS],
  ])('reads %s', async (name, content) => {
    writeFileSync(join(given, name), content);
    expect([...(await readLabels(tiny([]))).values]).toEqual([0, 1, 0]);
    expect(existsSync(cache)).toBe(false);
  });

  it('refuses a file that is not the original, and does not look elsewhere', async () => {
    const path = join(given, LABELS_GZ);
    writeFileSync(path, gzipSync(OTHER));
    const { address, asked } = await siteWithLabels();
    await expect(readLabels(tiny([address]))).rejects.toEqual(
      new DataError(
        'CHECKSUM',
        `${path} is not the original: its decompressed bytes have sha256 ${sha256(OTHER)}; expected ${sha256(LABELS)}`,
      ),
    );
    expect(asked).toEqual([]);
  });

  it('refuses a file that is cut off', async () => {
    writeFileSync(join(given, LABELS_GZ), gzipSync(LABELS).subarray(0, 20));
    await expect(readLabels(tiny([]))).rejects.toMatchObject({ name: 'DataError', reason: 'CORRUPT' });
  });
});

describe('from a site', () => {
  it('downloads what is not on this machine, once', async () => {
    const { address, asked } = await siteWithLabels();
    const source = tiny([address]);
    for (const _ of [1, 2]) expect([...(await readLabels(source)).values]).toEqual([0, 1, 0]);
    expect(asked).toEqual([`/data/${LABELS_GZ}`]);
    expect(log.mock.calls).toEqual([[`downloading ${address}${LABELS_GZ}`]]);
    expect(readdirSync(cache)).toEqual([LABELS_GZ]);
    expect(readFileSync(join(cache, LABELS_GZ))).toEqual(gzipSync(LABELS));
  });

  it('works without GLOCAL_DATA_DIR', async () => {
    vi.stubEnv('GLOCAL_DATA_DIR', '');
    const { address } = await siteWithLabels();
    expect((await readLabels(tiny([address]))).shape).toEqual([3]);
  });

  it('takes a file that the site unpacks on the way', async () => {
    const address = await site((_, response) => {
      response.setHeader('content-encoding', 'gzip').end(gzipSync(LABELS));
    });
    expect((await readLabels(tiny([address]))).shape).toEqual([3]);
    expect((await readLabels(tiny([]))).shape).toEqual([3]);
  });

  it.each<[string, RequestListener]>([
    ['lacks the file', (_, response) => response.writeHead(404).end()],
    ['sends something else', (_, response) => response.end('<!DOCTYPE html>')],
    ['sends another file', (_, response) => response.end(gzipSync(OTHER))],
    [
      'breaks off',
      (_, response) => response.writeHead(200, { 'content-length': 99 }).write('..') && response.destroy(),
    ],
  ])('asks the next site when one %s', async (_, listener) => {
    const { address } = await siteWithLabels();
    expect((await readLabels(tiny([await site(listener), address]))).shape).toEqual([3]);
  });

  it('keeps nothing of a download that breaks off, and can be tried again', async () => {
    const content = gzipSync(LABELS);
    let whole = false;
    const address = await site((_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      if (whole) response.end(content);
      else response.write(content.subarray(0, 10), () => response.destroy());
    });
    await expect(readLabels(tiny([address]))).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    expect(existsSync(cache)).toBe(false);
    whole = true;
    expect((await readLabels(tiny([address]))).shape).toEqual([3]);
  });

  it('ends with the reason of the signal', async () => {
    const address = await site((_, response) => {
      response.writeHead(200).write('..');
      controller.abort(new Error('trial cancelled'));
    });
    const controller = new AbortController();
    await expect(readLabels(tiny([address, address]), controller.signal)).rejects.toThrow('trial cancelled');
    expect(existsSync(cache)).toBe(false);
  });

  it('says where it looked and what to do when there is none to be reached', async () => {
    const address = await site(() => {});
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const failure = await readLabels(tiny([address])).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'DataError', reason: 'UNAVAILABLE' });
    const { message } = failure as DataError;
    expect(message).toBe(
      `tiny: ${LABELS_GZ} is neither in ${given} nor in ${cache}, nor could it be downloaded (from ${address}: ` +
        `connect ECONNREFUSED ${new URL(address).host}). Without a network, set GLOCAL_DATA_DIR to a folder with a ` +
        'folder tiny that has train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, ' +
        't10k-labels-idx1-ubyte.gz (or the same files unpacked, without .gz)',
    );
  });

  it('goes on when the cache cannot be written', async () => {
    writeFileSync(join(root, 'cache'), 'a file where the folder would be');
    const { address } = await siteWithLabels();
    expect((await readLabels(tiny([address]))).shape).toEqual([3]);
    expect(log).toHaveBeenLastCalledWith(expect.stringMatching(/labels-idx1-ubyte.gz could not be kept: E/));
  });
});

describe('in the cache', () => {
  it('replaces a file that is damaged, and says so', async () => {
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(cache, LABELS_GZ), gzipSync(LABELS).subarray(0, 20));
    const { address } = await siteWithLabels();
    expect((await readLabels(tiny([address]))).shape).toEqual([3]);
    expect(log.mock.calls[0]?.[0]).toMatch(/is damaged or cut off: .*; downloading it again$/);
    expect(readFileSync(join(cache, LABELS_GZ))).toEqual(gzipSync(LABELS));
  });
});
