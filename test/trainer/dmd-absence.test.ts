/** A DMD service that is away while a study says that its trials then wait. */

import type { StudyEvent } from '@glocal/sdk';
import type { ServerChild } from '@glocal/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TcpProxy } from '../sdk/support/proxy.ts';
import { startDmd } from '../support/dmd.ts';
import { health, methodIn } from '../support/dynamic.ts';
import { Channel } from '../support/grpc.ts';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

const WITHIN = { timeout: 40_000, interval: 100 };

let dmd: ServerChild;
let proxy: TcpProxy;
let trainer: TestTrainer;
let channel: Channel;
beforeAll(async () => {
  dmd = await startDmd();
  proxy = await TcpProxy.start(Number(dmd.address.split(':')[1]));
  trainer = await TestTrainer.start({
    args: ['--dmd-address', proxy.address, '--dmd-retry-seconds', '0.5'],
  });
  channel = new Channel(trainer.address);
});
afterAll(async () => {
  channel?.[Symbol.dispose]();
  await trainer?.[Symbol.asyncDispose]();
  await proxy?.close();
  await dmd?.stop();
});

const serving = async (service: string) =>
  ((await channel.unary(methodIn(health, 'Check'), { service })) as { readonly status: string }).status;

describe('a trial whose study says to wait for the DMD service', () => {
  it('is PAUSED with the reason while it is away, goes on by itself, and never falls back', async () => {
    await proxy.close();
    const spec = quickStudy();
    const study = await trainer.client.studies.create({
      ...spec,
      method: { ...spec.method, dmdAbsence: 'pause' },
    });
    const events: StudyEvent<QuickSpace>[] = [];
    const watching = (async () => {
      for await (const event of study.watch()) events.push(event);
    })();
    await expect.poll(async () => (await study.trial()).state, WITHIN).toBe('PAUSED');
    expect((await study.trial()).stateReason).toMatch(
      /^the DMD service did not answer: .*; it (starts again|goes on after outer step \d)$/,
    );
    expect(await serving('glocal.v1.StudyService')).toBe('NOT_SERVING');
    expect(await serving('')).toBe('SERVING');

    await proxy.open();
    expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
    await expect.poll(() => serving('glocal.v1.StudyService'), WITHIN).toBe('SERVING');
    const outerSteps = await Array.fromAsync(study.outerSteps());
    expect(outerSteps).toHaveLength(3);
    expect(outerSteps.map(({ update }) => update?.fellBack)).toEqual([false, false, false]);
    await watching;
    const states = events.flatMap((event) => (event.type === 'trial' ? [event.state] : []));
    expect(states.slice(0, 4)).toEqual(['RUNNING', 'RUNNING', 'PAUSED', 'PENDING']);
    expect(states.at(-1)).toBe('SUCCEEDED');
  });
});
