/** Several servers, of which some are away. */

import { GlocalClient, type GlocalError } from '@glocal/sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { history, STUDY, study } from './support/messages.ts';
import { type ScriptedServer, startScriptedServer } from './support/scripted-server.ts';

const stored = history(6);
const retry = { initialBackoff: 10 };
let servers: ScriptedServer[] = [];
afterEach(() => {
  for (const server of servers) server.stop();
  servers = [];
  watchedAt = [];
});

/** Who has been watched at, in turn. */
let watchedAt: string[] = [];

/** A server that says who it is; a watch from the beginning stays open after three events. */
async function start(version: string, { port = 0 } = {}): Promise<ScriptedServer> {
  const server = await startScriptedServer(
    {
      getServerInfo: (_call, callback) =>
        callback(null, {
          ...{ version, backend: '', dmdAddress: '' },
          ...{ limits: undefined, dmd: undefined, caller: undefined },
        }),
      getStudy: (_call, callback) => callback(null, study()),
      watchStudy: (call) => {
        watchedAt.push(version);
        const cursor = Number(call.request.cursor);
        for (const event of cursor === 0 ? stored.slice(0, 3) : stored.slice(cursor)) call.write(event);
        if (cursor > 0) call.end();
      },
    },
    { port },
  );
  servers.push(server);
  return server;
}

async function versions(client: GlocalClient, calls: number): Promise<string[]> {
  const seen: string[] = [];
  for (let i = 0; i < calls; i++) seen.push((await client.serverInfo()).version);
  return seen;
}

describe('a client of several servers', () => {
  it('asks them in turn, and leaves out one that is away, until it is back', async () => {
    const [first, second] = [await start('first'), await start('second')];
    const address = [first.address, second.address];
    await using client = await GlocalClient.connect({ address, retry });
    expect(client.address).toBe(address.join(','));
    await versions(client, 4);
    expect((await versions(client, 4)).sort()).toEqual(['first', 'first', 'second', 'second']);
    first.stop();
    expect(await versions(client, 4)).toEqual(['second', 'second', 'second', 'second']);
    await start('first again', { port: first.port });
    await expect.poll(() => versions(client, 2), { timeout: 20_000 }).toContain('first again');
  });

  it('finds the one that is there', async () => {
    const [gone, there] = [await start('gone'), await start('there')];
    gone.stop();
    await using client = await GlocalClient.connect({ address: [gone.address, there.address], retry });
    expect(await versions(client, 3)).toEqual(['there', 'there', 'there']);
  });

  it('says where none is', async () => {
    const [one, other] = [await start('one'), await start('other')];
    for (const server of servers) server.stop();
    const address = [one.address, other.address];
    const error: GlocalError = await GlocalClient.connect({ address, connectTimeout: 500 }).then(
      () => expect.unreachable('connected'),
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' });
    expect(address.some((place) => error.message.includes(place))).toBe(true);
  });

  it('goes on with a watch at another when one dies in the middle of it', async () => {
    const both = { first: await start('first'), second: await start('second') };
    const address = [both.first.address, both.second.address];
    await using client = new GlocalClient({ address, retry });
    const watched = await client.studies.get(STUDY);
    const seen: string[] = [];
    for await (const { cursor } of watched.watch()) {
      seen.push(cursor);
      if (cursor === '3') both[watchedAt[0] as keyof typeof both].stop();
    }
    expect(seen).toEqual(stored.map(({ cursor }) => cursor));
    expect(watchedAt.toSorted()).toEqual(['first', 'second']);
  });
});

it('a name stands for all of its addresses', async () => {
  const { port } = await start('of the name');
  await using client = await GlocalClient.connect({ address: `dns:///localhost:${port}`, retry });
  expect(await versions(client, 2)).toEqual(['of the name', 'of the name']);
});
