/** Reaching a server, or not. */

import { createServer, type Socket } from 'node:net';
import { GlocalClient, type GlocalError, IncompatibleServerError } from '@glocal/sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { type Script, type ScriptedServer, startScriptedServer } from './support/scripted-server.ts';

const script: Script = {
  getServerInfo: (_call, callback) =>
    callback(null, {
      version: '1.2.3',
      backend: 'test',
      dmdAddress: '',
      limits: undefined,
      dmd: undefined,
      caller: undefined,
    }),
};

let server: ScriptedServer | undefined;
afterEach(() => server?.stop());

const failed = (promise: Promise<unknown>): Promise<GlocalError> =>
  promise.then(
    () => expect.unreachable('connected'),
    (error) => error,
  );

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const { port, stop } = await startScriptedServer({});
  stop();
  return port;
}

describe('GlocalClient.connect', () => {
  it('gives a client whose server has answered', async () => {
    server = await startScriptedServer(script);
    await using client = await GlocalClient.connect({ address: server.address });
    expect(client.address).toBe(server.address);
    expect(await client.serverInfo()).toMatchObject({ version: '1.2.3', limits: { maxTrials: 0 } });
  });

  it('waits for a server that is just starting', async () => {
    const port = await freePort();
    const connecting = GlocalClient.connect({ address: `127.0.0.1:${port}` });
    await new Promise((resolve) => setTimeout(resolve, 500));
    server = await startScriptedServer(script, { port });
    await using client = await connecting;
    expect((await client.serverInfo()).version).toBe('1.2.3');
  });

  it('says in one line which address cannot be reached, and why', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const error = await failed(GlocalClient.connect({ address, connectTimeout: 600 }));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' });
    expect(String(error)).toMatch(
      new RegExp(
        `^GlocalError UNAVAILABLE \\(UNREACHABLE\\) request \\S+: no answer from the Glocal server at ${address}: connect ECONNREFUSED ${address}$`,
      ),
    );
  });

  it('says in one line that an address is silent', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on('error', () => {})));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const error = await failed(GlocalClient.connect({ address: `127.0.0.1:${port}`, connectTimeout: 300 }));
    expect(error.code).toBe('UNAVAILABLE');
    expect(String(error)).toContain(`127.0.0.1:${port}`);
    expect(String(error)).not.toContain('\n');
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('refuses a server of another major version, and says what to install', async () => {
    server = await startScriptedServer({
      getServerInfo: (_call, callback) =>
        callback(null, {
          ...{ version: '7.1.0', backend: 'test', dmdAddress: '' },
          ...{ limits: undefined, dmd: undefined, caller: undefined },
        }),
    });
    const error = await failed(GlocalClient.connect({ address: server.address }));
    expect(error).toBeInstanceOf(IncompatibleServerError);
    expect(error).toMatchObject({
      ...{ code: 'FAILED_PRECONDITION', reason: 'INCOMPATIBLE', serverVersion: '7.1.0' },
      message: expect.stringContaining('install @glocal/sdk@7'),
    });
  });

  it('throws at once what waiting does not mend', async () => {
    server = await startScriptedServer({});
    const error = await failed(GlocalClient.connect({ address: server.address }));
    expect(error).toMatchObject({ code: 'UNIMPLEMENTED', message: expect.stringContaining(server.address) });
  });

  it('can be aborted', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const error = await failed(GlocalClient.connect({ address, signal: AbortSignal.timeout(200) }));
    expect(error).toMatchObject({ code: 'CANCELLED', cause: { name: 'TimeoutError' } });
  });
});
