/** Uploads of models and data sets. */

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Artifact, ArtifactKind, type UploadArtifactRequest } from '@glocal/proto/glocal/v1/study_service';
import { GlocalClient } from '@glocal/sdk';
import { type ServerReadableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ScriptedServer, serviceError, startScriptedServer } from './support/scripted-server.ts';

type UploadCall = ServerReadableStream<UploadArtifactRequest, Artifact>;
type Answer = sendUnaryData<Artifact>;

const NAME = 'artifacts/01test';
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const manifest = Buffer.from('{"shards": ["weights.bin"]}');
/** More than one message, and more than gRPC keeps waiting. */
const weights = Buffer.alloc(6 * 1024 * 1024 + 7, 'weights ');

let folder: string;
let server: ScriptedServer;
let client: GlocalClient;
let upload: (call: UploadCall, answer: Answer) => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glocal-artifact-'));
  upload = (call, answer) => {
    const received: Received = { header: undefined, files: [] };
    call.on('data', (message) => receive(received, message));
    call.on('end', () => {
      last = received;
      const files = received.files.map(({ file }) => file);
      const size = files.reduce((sum, file) => sum + file.size, 0n);
      answer(null, Artifact.fromPartial({ name: NAME, ...received.header, files, size }));
    });
  };
  server = await startScriptedServer({
    uploadArtifact: (call, answer) => upload(call, answer),
    getArtifact: ({ request }, callback) =>
      callback(null, Artifact.fromPartial({ name: request.name, kind: ArtifactKind.DATASET, size: 5n })),
    listArtifacts: ({ request }, callback) => {
      const next = request.pageToken === '' ? '2' : '';
      const name = `artifacts/${request.pageToken || 1}`;
      callback(null, { artifacts: [Artifact.create({ name })], nextPageToken: next });
    },
    deleteArtifact: (_call, callback) => callback(null, {}),
  });
  client = new GlocalClient({ address: server.address });
});

afterEach(async () => {
  client.close();
  server.stop();
  await rm(folder, { recursive: true });
});

interface Received {
  header: { kind: ArtifactKind; displayName: string } | undefined;
  files: { file: { path: string; size: bigint; sha256: string }; chunks: Uint8Array[] }[];
}
let last: Received;

function receive(received: Received, { request }: UploadArtifactRequest): void {
  if (request?.$case === 'header') received.header = request.value;
  else if (request?.$case === 'file') received.files.push({ file: request.value, chunks: [] });
  else if (request?.$case === 'chunk') received.files.at(-1)?.chunks.push(request.value);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Bytes of all buffers that are in use, without those that only wait to be collected: V8 frees what a collection found in
 * a thread of its own, and the next collection waits for that.
 */
function heldBytes(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe('artifacts.upload', () => {
  it('sends the files of a folder with their sizes and checksums', async () => {
    await writeFile(join(folder, 'model.json'), manifest);
    await writeFile(join(folder, 'weights.bin'), weights);
    await writeFile(join(folder, '.DS_Store'), 'hidden');
    await mkdir(join(folder, 'logs'));
    const artifact = await client.artifacts.upload(folder, { displayName: 'mine' });
    expect(last.header).toEqual({ kind: ArtifactKind.MODEL, displayName: 'mine' });
    expect(last.files.map(({ chunks }) => sha256(Buffer.concat(chunks)))).toEqual([
      sha256(manifest),
      sha256(weights),
    ]);
    expect(artifact).toMatchObject({
      name: NAME,
      kind: 'model',
      displayName: 'mine',
      size: manifest.length + weights.length,
      files: [
        { path: 'model.json', size: manifest.length, sha256: sha256(manifest) },
        { path: 'weights.bin', size: weights.length, sha256: sha256(weights) },
      ],
    });
  });

  it('sends files by path and from memory, and what has no content', async () => {
    await writeFile(join(folder, 'dataset.json'), manifest);
    const content = new Uint8Array(weights.buffer, weights.byteOffset + 3, 10);
    await client.artifacts.upload([
      join(folder, 'dataset.json'),
      { path: 'x.npy', content },
      { path: 'empty.csv', content: new Uint8Array() },
    ]);
    expect(last.header?.kind).toBe(ArtifactKind.DATASET);
    expect(last.files.map(({ file }) => file)).toEqual([
      { path: 'dataset.json', size: BigInt(manifest.length), sha256: sha256(manifest) },
      { path: 'x.npy', size: 10n, sha256: sha256(content) },
      { path: 'empty.csv', size: 0n, sha256: sha256(Buffer.of()) },
    ]);
  });

  it('does not run ahead of a server that reads slowly', async () => {
    await writeFile(join(folder, 'model.json'), Buffer.alloc(48 * 1024 * 1024, 'weights '));
    const start = heldBytes();
    let grown = 0;
    upload = (call, answer) => {
      call.once('data', () => call.pause());
      setTimeout(() => {
        grown = heldBytes() - start;
        answer(serviceError({ code: status.RESOURCE_EXHAUSTED, message: 'too large' }));
      }, 500);
    };
    await expect(client.artifacts.upload(folder)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(grown).toBeLessThan(16 * 1024 * 1024);
  });

  it('passes on what the server says before all is sent', async () => {
    await writeFile(join(folder, 'model.json'), weights);
    upload = (_call, answer) =>
      answer(
        serviceError({ code: status.RESOURCE_EXHAUSTED, message: 'too large', reason: 'ARTIFACT_BYTES' }),
      );
    await expect(client.artifacts.upload(folder)).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'ARTIFACT_BYTES',
    });
  });

  it('calls what the server has against it as the argument', async () => {
    await writeFile(join(folder, 'model.json'), manifest);
    const violations = [
      { field: 'file', description: 'model.json is no model' },
      { field: 'file.path', description: 'comes twice' },
      { field: 'header.display_name', description: 'has 201 characters; at most 200' },
    ];
    upload = (_call, answer) =>
      answer(serviceError({ code: status.INVALID_ARGUMENT, message: '', reason: 'ARTIFACT', violations }));
    await expect(client.artifacts.upload(folder)).rejects.toMatchObject({
      fieldViolations: [{ field: 'source' }, { field: 'source.path' }, { field: 'displayName' }],
    });
  });

  it('ends with its signal', async () => {
    await writeFile(join(folder, 'model.json'), weights);
    upload = () => {};
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    await expect(client.artifacts.upload(folder, { signal: abort.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });

  it('is UNAVAILABLE when the connection breaks', async () => {
    await writeFile(join(folder, 'model.json'), weights);
    upload = () => server.stop();
    await expect(client.artifacts.upload(folder)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'UNREACHABLE',
    });
  });

  it.each(['nowhere', 'model.json'])('names %s, which cannot be read', async (name) => {
    const path = join(folder, name);
    await expect(client.artifacts.upload(name === 'nowhere' ? path : [path])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      reason: 'NOT_READABLE',
      fieldViolations: [{ field: path, description: expect.stringContaining('ENOENT') }],
    });
  });

  it('asks what it is where the files do not say', async () => {
    const content = Buffer.from('{}');
    const both = [
      { path: 'model.json', content },
      { path: 'dataset.json', content },
    ];
    await expect(client.artifacts.upload(both)).rejects.toMatchObject({
      fieldViolations: [
        { field: 'kind', description: 'is missing; both model.json and dataset.json are there' },
      ],
    });
    expect((await client.artifacts.upload(both, { kind: 'dataset' })).kind).toBe('dataset');
  });
});

it('artifacts are found, listed and deleted', async () => {
  expect(await client.artifacts.get(NAME)).toMatchObject({ name: NAME, kind: 'dataset', size: 5 });
  const names: string[] = [];
  for await (const { name } of client.artifacts.list()) names.push(name);
  expect(names).toEqual(['artifacts/1', 'artifacts/2']);
  await client.artifacts.delete(NAME);
});
