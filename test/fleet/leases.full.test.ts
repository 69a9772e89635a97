/** Leases of workers that stand still, are busy for long, or whose clocks are wrong. */

import type { Study } from '@glocal/sdk';
import { expect, it, vi } from 'vitest';
import { expectGone, trainingProcesses } from '../support/processes.ts';
import { type FleetProcess, LEASE_MS, RoleFleet } from '../support/role-fleet.ts';
import { longStudy, type QuickSpace, quickStudy, training } from '../support/studies.ts';

const PATIENCE = { timeout: 120_000, interval: 50 };
const BACKEND = ['--backend', 'wasm'];

/** The worker that trains. */
const busyOf = (fleet: RoleFleet): Promise<FleetProcess> =>
  vi.waitUntil(() => fleet.workers.find(({ pid }) => trainingProcesses(pid).length > 0), PATIENCE);

const reached = (study: Study<QuickSpace>, outerSteps: number) =>
  vi.waitUntil(async () => (await study.trial()).outerStepsDone >= outerSteps, PATIENCE);

it('a worker that stood still beyond its lease is refused whatever it writes, and ends its training process', async () => {
  await using fleet = await RoleFleet.start({ workers: 2, args: BACKEND });
  const study = await fleet.client.studies.create(longStudy({ estimator: 'fixed' }));
  await training(study);
  const late = await busyOf(fleet);
  const processes = trainingProcesses(late.pid);
  late.signal('SIGSTOP');
  const { attempts, outerStepsDone } = await vi.waitUntil(async () => {
    const trial = await study.trial();
    return trial.attempts === 2 && trial;
  }, PATIENCE);
  await reached(study, outerStepsDone + 2);
  // It trained on all the while, and has outer steps to tell of.
  late.signal('SIGCONT');
  await expectGone(processes);
  const { outerStepsDone: after } = await study.trial();
  await reached(study, after + 3);
  expect((await study.trial()).attempts).toBe(attempts);
  await study.cancel();
  const indices = (await Array.fromAsync(study.outerSteps())).map(({ index }) => index);
  expect(indices).toEqual(indices.map((_, i) => i + 1));
  const told: string[] = [];
  for await (const event of study.watch()) if (event.type === 'outerStep') told.push(event.name);
  expect(told).toHaveLength(indices.length);
}, 300_000);

it('a worker that is busy with one long operation is never declared dead', async () => {
  await using fleet = await RoleFleet.start({ workers: 2, args: BACKEND });
  const spec = quickStudy({ estimator: 'fixed' });
  // One outer step that takes several leases.
  const window = 5_000;
  const study = await fleet.client.studies.create({
    ...spec,
    training: { steps: window },
    method: { ...spec.method, window },
  });
  const start = performance.now();
  await study.result();
  expect(performance.now() - start, 'long enough to tell').toBeGreaterThan(2 * LEASE_MS);
  expect((await study.trial()).attempts).toBe(1);
}, 300_000);

it('a worker whose clock is wrong keeps its lease, and takes nobody else’s', async () => {
  await using fleet = await RoleFleet.start({ workers: 0, args: BACKEND });
  const shifted = (ms: number) => {
    const code = `const now = Date.now; Date.now = () => now() + ${ms}; globalThis.Date = class extends Date { constructor(...a) { super(...(a.length ? a : [now() + ${ms}])); } };`;
    return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
  };
  for (const hours of [-1, 1]) {
    const worker = fleet.another();
    await worker.start({ env: shifted(hours * 3_600_000) });
    const { time } = JSON.parse(worker.log.at(-1) as string) as { time: number };
    expect(Math.abs(time - Date.now() - hours * 3_600_000), 'its clock is wrong').toBeLessThan(600_000);
  }
  const study = await fleet.client.studies.create(longStudy({ estimator: 'fixed', seeds: [1, 2] }));
  const start = performance.now();
  await vi.waitUntil(async () => {
    const trials = await Array.fromAsync(study.trials());
    return (
      performance.now() - start > 4 * LEASE_MS && trials.every(({ outerStepsDone }) => outerStepsDone > 1)
    );
  }, PATIENCE);
  for await (const { attempts, state } of study.trials()) expect([attempts, state]).toEqual([1, 'RUNNING']);
  await study.cancel();
}, 300_000);
