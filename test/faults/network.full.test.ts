/** Faults of the network between every pair, by toxiproxy. Needs Go. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GlocalClient, type OuterStep } from '@glocal/sdk';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDmd } from '../support/dmd.ts';
import { deadAddress } from '../support/ports.ts';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const TOXIPROXY = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0';
const OUTER_STEPS = 12;

/** What a proxy does to the bytes in both directions. */
const TOXICS = {
  'a connection that is cut': { type: 'reset_peer', attributes: { timeout: 0 } },
  'a network that swallows everything, and then breaks': { type: 'timeout', attributes: { timeout: 400 } },
  'a slow network': { type: 'latency', attributes: { latency: 400, jitter: 200 } },
  'bytes that come in pieces': {
    type: 'slicer',
    attributes: { average_size: 64, size_variation: 32, delay: 100 },
  },
} as const;

const cleanUp = new AsyncDisposableStack();
let api: string;
let trainer: TestTrainer;
let client: GlocalClient;
let expected: unknown;

/** Through which proxy the bytes go. */
const PROXIES = ['client', 'dmd'] as const;

async function ask(method: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(`http://${api}${path}`, {
    method,
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`toxiproxy: ${response.status} ${await response.text()}`);
}

async function proxy(name: string, upstream: string): Promise<string> {
  const listen = await deadAddress();
  await ask('POST', '/proxies', { name, listen, upstream, enabled: true });
  return listen;
}

const path = (outerSteps: readonly OuterStep<QuickSpace>[]) =>
  outerSteps.map(({ index, nextValues, trainLoss, update }) => ({
    ...{ index, nextValues, trainLoss },
    hypergradient: update?.hypergradient,
    fellBack: update?.fellBack,
  }));

beforeAll(async () => {
  const folder = cleanUp.use(await temporaryFolder()).path;
  await execa('go', ['install', TOXIPROXY], { env: { GOBIN: folder } });
  api = await deadAddress();
  const [host, port] = api.split(':');
  const server = execa(join(folder, 'server'), ['-host', host ?? '', '-port', port ?? '']);
  server.catch(() => {});
  cleanUp.defer(async () => {
    server.kill();
    await server.catch(() => {});
  });
  await expect
    .poll(
      () =>
        ask('GET', '/version').then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    )
    .toBe(true);
  const dmd = cleanUp.adopt(await startDmd(), (child) => child.stop());
  trainer = cleanUp.use(
    await TestTrainer.start({ args: ['--dmd-address', await proxy('dmd', dmd.address)] }),
  );
  client = cleanUp.use(await GlocalClient.connect({ address: await proxy('client', trainer.address) }));
  const undisturbed = await trainer.client.studies.create(quickStudy({ outerSteps: OUTER_STEPS }));
  await undisturbed.result();
  expected = path(await Array.fromAsync(undisturbed.outerSteps()));
}, 600_000);
afterAll(() => cleanUp.disposeAsync());

describe.each(PROXIES)('between the trainer and the %s', (name) => {
  it.each(Object.entries(TOXICS))(
    '%s for a while changes nothing',
    async (_, toxic) => {
      const study = await client.studies.create(quickStudy({ outerSteps: OUTER_STEPS }));
      const told = Array.fromAsync(study.watch());
      await expect.poll(async () => (await trainer.client.studies.get(study.name)).state).toBe('ACTIVE');
      for (let round = 0; round < 3; round++) {
        for (const stream of ['upstream', 'downstream']) {
          await ask('POST', `/proxies/${name}/toxics`, { ...toxic, name: stream, stream });
        }
        await sleep(700);
        for (const stream of ['upstream', 'downstream'])
          await ask('DELETE', `/proxies/${name}/toxics/${stream}`);
        await sleep(300);
      }
      const events = await told;
      const done = await trainer.client.studies.get<QuickSpace>(study.name);
      expect(done.state).toBe('COMPLETED');
      expect(path(await Array.fromAsync(done.outerSteps()))).toEqual(expected);
      const indices = events.flatMap((event) => (event.type === 'outerStep' ? [event.index] : []));
      expect(indices).toEqual(Array.from({ length: OUTER_STEPS }, (__, i) => i + 1));
    },
    240_000,
  );
});
