/** How long a trial waits whose worker has died, while others have nothing to do. */

import { setTimeout as sleep } from 'node:timers/promises';
import { RoleFleet, workerName } from '../support/role-fleet.ts';
import { Meter } from './meter.ts';
import { longStudy } from './study.ts';
import { Watching } from './watching.ts';

const WORKERS = 2;
const LOOK_EVERY_MS = 20;
const PATIENCE_MS = 120_000;
/** Milliseconds that a trial trains before its worker is killed: more than a lease is renewed after, whatever the round. */
const TRAINS = 1_700;

/**
 * Milliseconds from `kill -9` of a worker until its trial was seen to train elsewhere, each time. The worker is started again
 * after each.
 * @param leaseMs as `--lease-seconds`
 */
export async function measureRecoveries(rounds: number, leaseMs: number): Promise<number[]> {
  await using fleet = await RoleFleet.start({
    ...{ servers: 1, workers: WORKERS, leaseMs, args: ['--backend', 'cpu'], settings: Meter.SETTINGS },
  });
  const meter = await Meter.of(fleet.postgres, fleet.url);
  const study = await fleet.client.studies.create(longStudy());
  const watching = new Watching();
  const over = new AbortController();
  const watched = watching.watch(study, over.signal).catch(() => {});
  await until(() => watching.outerSteps > 0);
  for (let round = 1; round <= rounds; round++) {
    await sleep(round * TRAINS);
    const [n, trial] = await whoTrains();
    const worker = fleet.processes.filter(({ role }) => role === 'worker')[n];
    const killedAt = performance.now();
    await worker?.kill();
    watching.lost(trial, killedAt);
    await until(() => watching.recoveries.length === round);
    await worker?.start();
  }
  over.abort();
  await watched;
  return [...watching.recoveries];

  async function whoTrains(): Promise<[worker: number, trial: string]> {
    for (let n = 0; n < WORKERS; n++) {
      const [trial] = await meter.claimedBy(workerName(n));
      if (trial !== undefined) return [n, trial];
    }
    throw new Error('no worker trains');
  }
}

/** @throws Error when it is not so within two minutes. */
async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error('a trial did not train within two minutes');
    await sleep(LOOK_EVERY_MS);
  }
}
