/** Stores of objects that are elsewhere. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ObjectStoreError, objectStoreContract, openObjects } from '@glocal/trainer/objects';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadAddress } from '../support/ports.ts';
import { type S3Server, startS3rver } from '../support/s3.ts';

let server: S3Server;
beforeAll(async () => {
  server = await startS3rver();
  Object.assign(process.env, server.env);
});
afterAll(() => server?.[Symbol.asyncDispose]());

let opened = 0;
/** An empty part of the bucket. */
const open = (changes: { readonly endpoint?: string; readonly bucket?: string } = {}) =>
  openObjects({
    ...{ kind: 's3', bucket: server.bucket, prefix: `tests/${++opened}/` },
    ...{ endpoint: server.endpoint, region: undefined },
    ...changes,
  });

describe('s3rver', () => objectStoreContract(open, false));

describe('a store of objects elsewhere', () => {
  it('that is away is said to be, with the setting, and is then left alone for a while', async () => {
    const endpoint = `http://${await deadAddress()}`;
    const objects = await open({ endpoint });
    const failure = await objects.check().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ObjectStoreError);
    expect(failure).toMatchObject({ failure: 'away' });
    expect((failure as Error).message).toMatch(
      /^the object store s3:\/\/glocal\/tests\/\d+\/ at http:\S+ \(--objects\) cannot be reached: .*ECONNREFUSED/,
    );
    await expect(objects.put('a', Buffer.of(1))).rejects.toBe(failure);
    const again = () => objects.check().catch((error: unknown) => error);
    await expect.poll(again, { timeout: 10_000 }).not.toBe(failure);
  });

  it('without the bucket refuses', async () => {
    const objects = await open({ bucket: 'another-bucket' });
    const refused = { failure: 'refused', message: expect.stringContaining('refuses: NoSuchBucket') };
    await expect(objects.check()).rejects.toMatchObject(refused);
    await expect(objects.put('a', Buffer.of(1))).rejects.toMatchObject(refused);
    await expect(objects.get('a')).rejects.toMatchObject(refused);
  });

  it.each([
    [403, 'AccessDenied', 'refused'],
    [507, 'XMinioStorageFull', 'full'],
    [503, 'SlowDown', 'away'],
  ] as const)('that answers %i %s tells what a caller can do, and no secret', async (status, code, kind) => {
    using answering = await answer(status, code);
    const objects = await open({ endpoint: answering.endpoint });
    const failure = await objects.put('a', Buffer.of(1)).catch((error: unknown) => error as ObjectStoreError);
    expect(failure).toMatchObject({
      failure: kind,
      message: expect.stringContaining(`: ${code}, HTTP ${status}: said so`),
    });
    const told = JSON.stringify(failure, Object.getOwnPropertyNames(failure));
    expect(told).not.toContain(server.env.AWS_ACCESS_KEY_ID);
    expect(told).not.toContain('Signature');
  });
});

/** A server that gives one answer. */
async function answer(status: number, code: string): Promise<Disposable & { readonly endpoint: string }> {
  const http = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>said so</Message></Error>`);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void http.close() };
}
