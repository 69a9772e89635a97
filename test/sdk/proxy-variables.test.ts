/** The variables of proxies (`http_proxy` and the like), which are not meant for servers on this machine. */

import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { GlocalClient } from '@glocal/sdk';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { rejection } from '../support/rejection.ts';

const VARIABLES = ['grpc_proxy', 'https_proxy', 'http_proxy', 'GRPC_PROXY', 'HTTPS_PROXY', 'HTTP_PROXY'];

let folder: string;
let server: Server;
let port: number;
let proxy: TcpServer;
let contacts: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glocal-sdk-'));
  server = new Server();
  server.addService(StudyServiceService, {
    getServerInfo: (_call: unknown, callback: (error: null, info: unknown) => void) =>
      callback(null, { version: '1.2.3', backend: '', dmdAddress: '', limits: undefined }),
  });
  const bind = (address: string) =>
    new Promise<number>((resolve, reject) =>
      server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
  await bind(`unix:${folder}/socket`);
  port = await bind('localhost:0');
});
afterAll(async () => {
  server.forceShutdown();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  contacts = 0;
  proxy = createServer((socket) => {
    contacts += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  for (const variable of ['no_proxy', 'no_grpc_proxy', 'NO_PROXY']) vi.stubEnv(variable, undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  if (proxy.listening) await new Promise((resolve) => proxy.close(resolve));
});

const proxyAddress = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

/** Where the server listens, as a caller may write it. */
const places = () => [`localhost:${port}`, `127.0.0.1:${port}`, `unix:${folder}/socket`];

describe.each(VARIABLES)('%s', (variable) => {
  it('is not used for a server on this machine', async () => {
    vi.stubEnv(variable, proxyAddress());
    for (const address of places()) {
      await using client = await GlocalClient.connect({ address, connectTimeout: 5_000 });
      expect((await client.serverInfo()).version).toBe('1.2.3');
    }
    expect(contacts).toBe(0);
  });

  it('is not used for a server on this machine when it names a dead port', async () => {
    const dead = proxyAddress();
    await new Promise((resolve) => proxy.close(resolve));
    vi.stubEnv(variable, dead);
    for (const address of places()) {
      await using client = await GlocalClient.connect({ address, connectTimeout: 5_000 });
      expect((await client.serverInfo()).version).toBe('1.2.3');
    }
  });
});

it('a proxy on the way to another machine that does not connect is named', async () => {
  vi.stubEnv('http_proxy', proxyAddress());
  await using client = new GlocalClient({
    address: 'trainer.example:50061',
    insecure: true,
    retry: { maxAttempts: 1 },
  });
  expect(await rejection(client.serverInfo())).toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'UNREACHABLE',
    message:
      'no answer from the Glocal server at trainer.example:50061: ' +
      'the proxy that http_proxy, https_proxy or grpc_proxy names did not connect to it',
  });
  expect(contacts).toBeGreaterThan(0);
});
