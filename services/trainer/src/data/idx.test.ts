import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError, type DataReason } from './errors.ts';
import { encodeIdx, pairExamples, parseIdx, readIdx } from './idx.ts';

/** Two images of 2×3 pixels, as the format says: magic, sizes (big-endian), pixels. */
const IMAGES = Uint8Array.from([
  ...[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3],
  ...[0, 1, 2, 3, 4, 5],
  ...[250, 251, 252, 253, 254, 255],
]);
const LABELS = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 2, 9, 0]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-idx-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const error = (reason: DataReason, message: string | RegExp): unknown =>
  expect.objectContaining({ name: 'DataError', reason, message: expect.stringMatching(message) });

describe('readIdx', () => {
  it.each([
    ['plain', IMAGES],
    ['compressed', gzipSync(IMAGES)],
  ])('reads images, %s', async (name, content) => {
    const file = join(folder, name);
    writeFileSync(file, content);
    const { shape, values, bytes } = await readIdx(file, 3);
    expect(shape).toEqual([2, 2, 3]);
    expect([...values]).toEqual([0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255]);
    expect([...bytes]).toEqual([...IMAGES]);
  });

  it('reads labels', async () => {
    const file = join(folder, 'labels');
    writeFileSync(file, LABELS);
    expect(await readIdx(file, 1)).toMatchObject({ file, shape: [2] });
    expect([...(await readIdx(file, 1)).values]).toEqual([9, 0]);
  });

  it('says which file is not there, or is none', async () => {
    const missing = join(folder, 'missing');
    await expect(readIdx(missing, 1)).rejects.toEqual(
      error('UNREADABLE', `${missing} cannot be read .*ENOENT`),
    );
    const directory = join(folder, 'directory');
    mkdirSync(directory);
    await expect(readIdx(directory, 1)).rejects.toEqual(error('UNREADABLE', `${directory} cannot be read`));
  });
});

describe('parseIdx', () => {
  const parseBoth = (content: Uint8Array, rank: 1 | 3) =>
    [content, gzipSync(content)].map((bytes) => parseIdx(bytes, 'some/file', rank));

  it.each([0, 3, 15])('refuses a file that ends in its header, after %s bytes', async (size) => {
    const found = size === 0 ? 'is empty' : `ends after ${size} bytes`;
    for (const parsed of parseBoth(IMAGES.subarray(0, size), 3)) {
      await expect(parsed).rejects.toEqual(
        error('SIZE', `^some/file ${found}; expected an idx3 file of unsigned bytes$`),
      );
    }
  });

  it('refuses a file that is shorter than its header says', async () => {
    for (const parsed of parseBoth(IMAGES.subarray(0, 27), 3)) {
      await expect(parsed).rejects.toEqual(
        error('SIZE', '^some/file has 27 bytes; expected 28, as its header announces 2×2×3 values$'),
      );
    }
  });

  it('refuses a file that is longer than its header says', async () => {
    const [plain, compressed] = parseBoth(Uint8Array.of(...IMAGES, 0), 3);
    await expect(plain).rejects.toEqual(error('SIZE', 'some/file has 29 bytes; expected 28'));
    await expect(compressed).rejects.toEqual(error('SIZE', 'some/file has more bytes; expected 28'));
  });

  it('refuses another format', async () => {
    const html = new TextEncoder().encode('<!DOCTYPE html><title>Sign in</title>');
    for (const parsed of parseBoth(html, 3)) {
      await expect(parsed).rejects.toEqual(
        error('FORMAT', '^some/file begins with 0x3c21444f; expected an idx3 .* begins with 0x00000803$'),
      );
    }
  });

  it('refuses labels where images are expected, and the reverse', async () => {
    await expect(parseIdx(Uint8Array.of(...LABELS, 0, 0, 0, 0, 0, 0), 'l', 3)).rejects.toEqual(
      error('FORMAT', 'l begins with 0x00000801; expected an idx3'),
    );
    await expect(parseIdx(IMAGES, 'i', 1)).rejects.toEqual(error('FORMAT', 'i begins with 0x00000803'));
  });

  it('refuses elements that are not unsigned bytes', async () => {
    const floats = Uint8Array.from(IMAGES);
    floats[2] = 0x0d;
    await expect(parseIdx(floats, 'f', 3)).rejects.toEqual(
      error('FORMAT', 'begins with 0x00000d03; expected an idx3 file of unsigned bytes'),
    );
  });

  it('refuses a file without examples', async () => {
    await expect(parseIdx(encodeIdx([0], []), 'f', 1)).rejects.toEqual(
      error('FORMAT', 'f announces 0 values'),
    );
    await expect(parseIdx(encodeIdx([5, 0, 3], []), 'f', 3)).rejects.toEqual(
      error('FORMAT', 'f announces 5×0×3 values; expected at least one'),
    );
  });

  it('refuses sizes that no data set has', async () => {
    const huge = Uint8Array.from(IMAGES);
    huge.fill(0xff, 4, 16);
    for (const parsed of parseBoth(huge, 3)) {
      await expect(parsed).rejects.toEqual(error('FORMAT', 'at most 1073741824 bytes'));
    }
  });

  it('refuses compression that is cut off', async () => {
    const noise = Uint8Array.from({ length: 20_000 }, (_, i) => (i * i * 31 + (i >> 3) * 17) & 0xff);
    const content = gzipSync(encodeIdx([20_000], noise));
    for (const size of [content.length - 1, content.length - 9, 100]) {
      await expect(parseIdx(content.subarray(0, size), 'f.gz', 1)).rejects.toEqual(
        error('CORRUPT', /^f\.gz is damaged or cut off: unexpected end of file; expected a whole gzip file$/),
      );
    }
  });

  it('refuses compression that is damaged, wherever', async () => {
    const content = gzipSync(
      encodeIdx(
        [1_000],
        Uint8Array.from({ length: 1_000 }, (_, i) => i * i),
      ),
    );
    for (const offset of [2, 60, content.length - 6]) {
      const damaged = Uint8Array.from(content);
      damaged[offset] = (damaged[offset] as number) ^ 0xff;
      await expect(parseIdx(damaged, 'f.gz', 1)).rejects.toBeInstanceOf(DataError);
    }
  });

  it('does not unpack a bomb: no more than the header announces', async () => {
    const megabyte = gzipSync(Buffer.alloc(2 ** 20));
    const bomb = Buffer.concat([gzipSync(LABELS), ...Array.from({ length: 512 }, () => megabyte)]);
    const peak = process.resourceUsage().maxRSS;
    await expect(parseIdx(bomb, 'bomb.gz', 1)).rejects.toEqual(
      error('SIZE', 'bomb.gz has more bytes; expected 10'),
    );
    // In kilobytes; all of it would be half a million.
    expect(process.resourceUsage().maxRSS - peak).toBeLessThan(100_000);
  });
});

describe('pairExamples', () => {
  const pair = async (images: Uint8Array, labels: Uint8Array, expected = { shape: [2, 3, 1], classes: 10 }) =>
    pairExamples(await parseIdx(images, 'images', 3), await parseIdx(labels, 'labels', 1), expected);

  it('gives the values, the labels and one channel', async () => {
    const examples = await pair(IMAGES, LABELS);
    expect(examples).toMatchObject({ count: 2, shape: [2, 3, 1], classes: 10, labels: Int32Array.of(9, 0) });
    expect([...examples.values].slice(5, 7)).toEqual([5, 250]);
  });

  it('refuses another number of labels than of images', async () => {
    await expect(pair(IMAGES, encodeIdx([3], [0, 1, 2]))).rejects.toEqual(
      error('MISMATCH', '^images has 2 images, but labels 3 labels; expected as many of both$'),
    );
  });

  it('refuses a label that is not a class', async () => {
    await expect(pair(IMAGES, encodeIdx([2], [3, 10]))).rejects.toEqual(
      error('MISMATCH', '^labels has label 10 at example 1; expected 0 to 9$'),
    );
  });

  it('refuses images of another size', async () => {
    await expect(pair(IMAGES, LABELS, { shape: [3, 2, 1], classes: 10 })).rejects.toEqual(
      error('MISMATCH', '^images has images of 2×3; expected 3×2$'),
    );
  });
});

it('encodes what it reads', () => {
  expect(encodeIdx([2, 2, 3], IMAGES.subarray(16))).toEqual(IMAGES);
  expect(encodeIdx([2], [9, 0])).toEqual(LABELS);
});
