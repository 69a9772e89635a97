/** A fleet whose database has no room left on its disk, for a while. */

import type { Study } from '@glocal/sdk';
import { describe, expect, it, vi } from 'vitest';
import { RoleFleet } from '../support/role-fleet.ts';
import { canMount, SmallDisk, whereDisksAre } from '../support/small-disk.ts';
import { longStudy, type QuickSpace, quickStudy, training } from '../support/studies.ts';

/** An empty database takes 8 MB. */
const DISK = 64 << 20;
const PATIENCE = { timeout: 180_000, interval: 100 };

const reached = (study: Study<QuickSpace>, outerSteps: number) =>
  vi.waitUntil(async () => (await study.trial()).outerStepsDone >= outerSteps, PATIENCE);

describe.skipIf(!canMount)(`a full disk under the database${whereDisksAre}`, () => {
  it('lets the fleet wait, refuse what it cannot store and say why, and go on by itself', async () => {
    using disk = SmallDisk.mount(DISK);
    await using fleet = await RoleFleet.start({
      args: ['--backend', 'wasm'],
      database: async (postgres) => {
        await postgres.own(disk.path);
        await postgres.run(`CREATE TABLESPACE small LOCATION '${disk.path}'`);
        await postgres.run('CREATE DATABASE small TABLESPACE small');
        return postgres.url('small');
      },
    });
    const study = await fleet.client.studies.create(longStudy({ estimator: 'mean' }));
    await training(study);
    disk.fill();
    const said = (text: RegExp) =>
      fleet.processes.flatMap(({ log }) => log).filter((line) => text.test(line));
    await vi.waitUntil(() => said(/nothing can be stored for now/).length > 0, PATIENCE);
    expect(said(/nothing can be stored for now/)[0]).toMatch(/it has no room left.*No space left on device/);
    // There may be room in pages that are there: what takes more of them is refused.
    const refused = await vi.waitUntil(
      () =>
        fleet.client.studies
          .create(quickStudy({ seeds: Array.from({ length: 64 }, (_, i) => i) }), {
            timeout: 3_000,
          })
          .then(
            async (created) => void (await created.cancel().catch(() => {})),
            (error: unknown) => error as Error,
          ),
      PATIENCE,
    );
    expect(refused.message).toMatch(/no room left|deadline/i);
    const { attempts, outerStepsDone } = await study.trial();
    expect(await fleet.client.studies.get(study.name)).toMatchObject({ state: 'ACTIVE' });

    disk.free();
    await reached(study, outerStepsDone + 5);
    await vi.waitUntil(() => said(/the store can write again/).length > 0, PATIENCE);
    const trial = await study.trial();
    // Its lease may have ended while nobody could renew it.
    expect(trial.state).toBe('RUNNING');
    expect(trial.crashes).toBe(0);
    expect(trial.attempts).toBeLessThanOrEqual(attempts + 1);
    const indices = (await Array.fromAsync(study.outerSteps())).map(({ index }) => index);
    expect(indices).toEqual(indices.map((_, i) => i + 1));
    await study.cancel();
    const other = await fleet.client.studies.create(quickStudy());
    expect(await other.result()).toMatchObject({ state: 'COMPLETED' });
  }, 600_000);
});
