/** Several real trainers, one of which is killed, and several ways to one of them. */

import { GlocalClient } from '@glocal/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TcpProxy } from '../sdk/support/proxy.ts';
import { quickStudy } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

const retry = { initialBackoff: 20 };
let one: TestTrainer;
let other: TestTrainer;
beforeAll(async () => {
  [one, other] = await Promise.all([TestTrainer.start(), TestTrainer.start()]);
});
afterAll(async () => {
  await Promise.all([one, other].map((trainer) => trainer?.[Symbol.asyncDispose]()));
});

it('a study that is watched, and what came out of it, come by another way when one is cut', async () => {
  const port = Number(one.address.split(':').at(-1));
  const ways = [await TcpProxy.start(port), await TcpProxy.start(port)];
  await using client = await GlocalClient.connect({ address: ways.map(({ address }) => address), retry });
  const study = await client.studies.create(quickStudy({ estimator: 'fixed', outerSteps: 4 }));
  const indices: number[] = [];
  for await (const event of study.watch()) {
    if (event.type !== 'outerStep') continue;
    indices.push(event.index);
    // One after the other, so that the watch has lost its way by then, whichever it was.
    if (event.index === 1) await ways[0]?.close();
    if (event.index === 2) await Promise.all([ways[0]?.open(), ways[1]?.close()]);
  }
  expect(indices).toEqual([1, 2, 3, 4]);
  expect(await study.result({ schedules: false })).toMatchObject({ state: 'COMPLETED' });
  await ways[0]?.close();
});

it('trainers are asked in turn, and when one is killed the other answers', async () => {
  await using client = await GlocalClient.connect({ address: [one.address, other.address], retry });
  const asked = async () => (await client.serverInfo()).dmdAddress;
  const both = new Set(
    [await one.client.serverInfo(), await other.client.serverInfo()].map((i) => i.dmdAddress),
  );
  expect(both.size).toBe(2);
  await Promise.all(Array.from({ length: 4 }, asked));
  expect(new Set([await asked(), await asked()])).toEqual(both);
  const { dmdAddress } = await one.client.serverInfo();
  await other.kill();
  for (let call = 0; call < 4; call++) expect(await asked()).toBe(dmdAddress);
});
