/** What a client shows of who calls. */

import { GlocalClient, type GlocalError } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ScriptedServer, startScriptedServer } from './support/scripted-server.ts';

let server: ScriptedServer;
let shown: unknown[];

beforeAll(async () => {
  server = await startScriptedServer({
    getServerInfo: ({ metadata }, callback) => {
      shown.push(...metadata.get('authorization'));
      callback(null, {
        ...{ version: '1', backend: '', dmdAddress: '' },
        ...{ limits: undefined, dmd: undefined, caller: undefined },
      });
    },
  });
});
afterAll(() => server.stop());

async function callTwice(token?: string | (() => string)): Promise<unknown[]> {
  shown = [];
  await using client = new GlocalClient({ address: server.address, token });
  await client.serverInfo();
  await client.serverInfo();
  return shown;
}

describe('a token', () => {
  it('goes along with every call', async () => {
    expect(await callTwice('t0ken')).toEqual(['Bearer t0ken', 'Bearer t0ken']);
    expect(await callTwice()).toEqual([]);
  });

  it('goes along with the first question, whether the server is there', async () => {
    shown = [];
    await using _client = await GlocalClient.connect({ address: server.address, token: 't0ken' });
    expect(shown).toEqual(['Bearer t0ken']);
  });

  it('may be renewed from call to call', async () => {
    const tokens = ['old', 'new'];
    expect(await callTwice(() => tokens.shift() ?? '')).toEqual(['Bearer old', 'Bearer new']);
  });

  it.each(['', 'sec ret', 'secret\n', 7, null])(
    'that cannot travel is refused, and not repeated: %j',
    async (token) => {
      const options = { address: server.address, token: token as string };
      const field = { fieldViolations: [{ field: 'token' }], code: 'INVALID_ARGUMENT' };
      expect(() => new GlocalClient(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
      await using client = new GlocalClient({ ...options, token: () => token as string });
      const error: GlocalError = await client.serverInfo().then(
        () => expect.unreachable('it was sent'),
        (reason) => reason,
      );
      expect(error).toMatchObject({ ...field, reason: 'TOKEN' });
      expect(String(error)).not.toContain('sec');
    },
  );
});
