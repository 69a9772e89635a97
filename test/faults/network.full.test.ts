/**
 * Faults of the network between every pair that talks over it: a client and the trainer, whether it watches, drives or
 * reports; and the trainer, or a training process of it, and the DMD service. Needs Go.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { GlocalClient, type Study } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDmd } from '../support/dmd.ts';
import { hasGo, whereGoIs } from '../support/go.ts';
import { quickStudy } from '../support/studies.ts';
import { type Toxic, Toxiproxy } from '../support/toxiproxy.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';
import type { Workload } from './workload.ts';
import { workloads } from './workloads.ts';

const OUTER_STEPS = 12;

const TOXICS: Readonly<Record<string, Toxic>> = {
  'a connection that is cut': { type: 'reset_peer', attributes: { timeout: 0 } },
  'a network that swallows everything, and then breaks': { type: 'timeout', attributes: { timeout: 400 } },
  'a slow network': { type: 'latency', attributes: { latency: 400, jitter: 200 } },
  'bytes that come in pieces': {
    type: 'slicer',
    attributes: { average_size: 64, size_variation: 32, delay: 100 },
  },
};
const DISTURBANCES = 4;
/** Milliseconds. */
const DISTURBED = 700;
const LEFT_ALONE = 300;
const WITHIN = 900_000;

const cleanUp = new AsyncDisposableStack();
let proxies: Toxiproxy;
let trainer: TestTrainer;
/** Of the trainer, by its proxy. */
let address: string;
let client: GlocalClient;
const disturbed: readonly Workload[] = workloads();

const run = (workload: Workload, at: string) =>
  workload.run({ address: at, signal: AbortSignal.timeout(WITHIN), fragile() {} });

beforeAll(async () => {
  if (!hasGo) return;
  proxies = cleanUp.use(await Toxiproxy.start(cleanUp.use(await temporaryFolder()).path));
  const dmd = cleanUp.adopt(await startDmd(), (child) => child.stop());
  const behindProxy = await proxies.proxy('DMD service', dmd.address);
  trainer = cleanUp.use(await TestTrainer.start({ args: ['--dmd-address', behindProxy] }));
  address = await proxies.proxy('client', trainer.address);
  client = cleanUp.use(await GlocalClient.connect({ address }));
  for (const workload of disturbed) await run(workload, trainer.address);
}, 2 * WITHIN);
afterAll(() => cleanUp.disposeAsync());

describe.skipIf(!hasGo).each(['client', 'DMD service'])(
  `between the trainer and its %s${whereGoIs}`,
  (name) => {
    it.each(Object.entries(TOXICS))(
      '%s for a while loses nothing, doubles nothing and changes nothing',
      async (_, toxic) => {
        const study = await client.studies.create(quickStudy({ outerSteps: OUTER_STEPS }));
        const outcomes = Promise.all(disturbed.map((workload) => run(workload, address)));
        const told = outerStepsOf(study);
        for (let i = 0; i < DISTURBANCES; i++) {
          await proxies.disturb(name, toxic, DISTURBED);
          await sleep(LEFT_ALONE);
        }
        expect((await outcomes).flatMap(({ findings }) => findings)).toEqual([]);
        expect(await told).toEqual(Array.from({ length: OUTER_STEPS }, (__, i) => i + 1));
      },
      WITHIN,
    );
  },
);

/** The outer steps that a watcher is told of who leaves coming back to the SDK. */
async function outerStepsOf(study: Study): Promise<number[]> {
  const indices: number[] = [];
  for await (const event of study.watch()) if (event.type === 'outerStep') indices.push(event.index);
  return indices;
}
