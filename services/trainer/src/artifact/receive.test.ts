import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtifactKind, type UploadArtifactRequest } from '@glocal/proto/glocal/v1/study_service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BusyError, FieldError } from '../resource/errors.ts';
import { receive } from './receive.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-receive-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const header = (kind: ArtifactKind = ArtifactKind.MODEL, displayName = ''): UploadArtifactRequest => ({
  request: { $case: 'header', value: { kind, displayName } },
});
const file = (
  path: string,
  content: string,
  lie: { size?: bigint; sha256?: string } = {},
): UploadArtifactRequest => ({
  request: {
    $case: 'file',
    value: {
      path,
      size: BigInt(Buffer.byteLength(content)),
      sha256: createHash('sha256').update(content).digest('hex'),
      ...lie,
    },
  },
});
const chunk = (text: string): UploadArtifactRequest => ({
  request: { $case: 'chunk', value: Buffer.from(text) },
});
const NOTHING: UploadArtifactRequest = { request: undefined };

async function* sent(requests: readonly UploadArtifactRequest[]) {
  yield* requests;
}
const anyRoom = { take: async () => {} };
const received = (...requests: UploadArtifactRequest[]) => receive(sent(requests), folder, anyRoom);

describe('an upload', () => {
  it('is in the folder as it was sent, in chunks of any size, empty files too', async () => {
    const all = await received(
      header(ArtifactKind.DATASET, 'pets'),
      file('dataset.json', 'abc'),
      ...['a', '', 'bc'].map(chunk),
      file('empty.csv', ''),
      file('Größen 1.csv', 'x'),
      chunk('x'),
    );
    expect(all.header).toEqual({ kind: ArtifactKind.DATASET, displayName: 'pets' });
    expect(all.files.map(({ path, size }) => [path, size])).toEqual([
      ['dataset.json', 3n],
      ['empty.csv', 0n],
      ['Größen 1.csv', 1n],
    ]);
    expect(readdirSync(folder).sort()).toEqual(['Größen 1.csv', 'dataset.json', 'empty.csv']);
    expect(readFileSync(join(folder, 'dataset.json'), 'utf8')).toBe('abc');
  });

  it.each<[string, string, UploadArtifactRequest[]]>([
    ['is empty', 'header', []],
    ['has no header', 'header', [file('a', '')]],
    ['begins with a chunk', 'header', [chunk('a')]],
    ['has two headers', 'header', [header(), header()]],
    ['has no files', 'file', [header()]],
    ['has a message with nothing in it', 'request', [header(), NOTHING]],
    ['has no kind', 'header.kind', [header(ArtifactKind.UNSPECIFIED)]],
    ['has a kind that does not exist', 'header.kind', [header(99 as ArtifactKind)]],
    ['has a long name', 'header.display_name', [header(ArtifactKind.MODEL, 'x'.repeat(201))]],
    ['has a chunk before the first file', 'chunk', [header(), chunk('a')]],
    ['has a negative size', 'file.size', [header(), file('a', '', { size: -1n })]],
    ['has no checksum', 'file.sha256', [header(), file('a', '', { sha256: '' })]],
    ['has an upper-case checksum', 'file.sha256', [header(), file('a', '', { sha256: 'A'.repeat(64) })]],
    ['has a file twice', 'file.path', [header(), file('a', ''), file('a', '')]],
    ['sends more than it said', 'chunk', [header(), file('a', 'abc', { size: 2n }), chunk('abc')]],
    ['sends less than it said', 'chunk', [header(), file('a', 'abc', { size: 4n }), chunk('abc')]],
    ['sends less, and another file', 'chunk', [header(), file('a', 'abc'), chunk('ab'), file('b', '')]],
    ['sends other bytes', 'file.sha256', [header(), file('a', 'abc'), chunk('abd')]],
    [
      'sends other bytes, and another file',
      'file.sha256',
      [header(), file('a', 'b'), chunk('a'), file('b', '')],
    ],
  ])('that %s is refused with the field %s', async (_what, field, requests) => {
    const error = await received(...requests).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(FieldError);
    expect((error as FieldError).violations.map((violation) => violation.field)).toEqual([field]);
  });

  it.each([
    '',
    '.',
    '..',
    '/etc/passwd',
    '../a',
    'a/b',
    'a\\b',
    'C:a',
    'a\0b',
    'a\nb',
    '\u202eb',
    'x'.repeat(201),
  ])('has files with plain names only: %j is refused', async (path) => {
    await expect(received(header(), file(path, ''))).rejects.toMatchObject({
      violations: [{ field: 'file.path' }],
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('has no more files than it may have', async () => {
    const requests = sent([header(), file('a', ''), file('b', ''), file('c', '')]);
    await expect(receive(requests, folder, anyRoom, 2)).rejects.toThrow('at most 2 files');
  });

  it('asks for the room of each file before anything of it is written', async () => {
    const take = async (bytes: bigint) => {
      if (bytes > 2n) throw new BusyError('ARTIFACT_BYTES', 'too large');
    };
    const requests = sent([header(), file('a', 'ab'), chunk('ab'), file('b', 'abc'), chunk('abc')]);
    await expect(receive(requests, folder, { take })).rejects.toThrow('too large');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('ends with what ends its requests', async () => {
    const requests = (async function* () {
      yield header();
      yield file('a', 'abc');
      throw new Error('the caller has gone');
    })();
    await expect(receive(requests, folder, anyRoom)).rejects.toThrow('the caller has gone');
  });
});
