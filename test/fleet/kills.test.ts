/**
 * Two servers and two workers on one PostgreSQL, ten of which are killed at seeded moments: nothing is lost, nothing is stored
 * twice, and every trial takes the path of one that nobody disturbed, bit for bit.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Study } from '@glocal/sdk';
import { expect, it } from 'vitest';
import { Random } from '../faults/random.ts';
import { RoleFleet } from '../support/role-fleet.ts';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';
import { trajectoryOf } from '../support/trajectory.ts';

const SEED = 20;
const KILLS = 10;
const OUTER_STEPS = 4;
/** Is there at once, where the native runtime takes a second or two. */
const BACKEND = ['--backend', 'wasm'];
const SEEDS = [1, 2, 3, 4, 5, 6];
const ESTIMATORS = ['glocal', 'mean'] as const;

const spec = (estimator: (typeof ESTIMATORS)[number]) =>
  quickStudy({ estimator, outerSteps: OUTER_STEPS, seeds: SEEDS });

/** The outer steps of each trial, by its seed. */
async function trajectories(study: Study<QuickSpace>): Promise<Map<number, unknown>> {
  const found = new Map<number, unknown>();
  for await (const trial of study.trials()) {
    const outerSteps = await Array.fromAsync(study.outerSteps({ trial: trial.name, includeWindows: true }));
    found.set(trial.seed, { state: trial.state, test: trial.test, steps: trajectoryOf(outerSteps) });
  }
  return found;
}

it('a fleet whose servers and workers are killed again and again loses nothing and doubles nothing', async () => {
  const undisturbed = await (async () => {
    await using trainer = await TestTrainer.start({ args: ['--max-running-trials', '2', ...BACKEND] });
    const studies = await Promise.all(
      ESTIMATORS.map((estimator) => trainer.client.studies.create(spec(estimator))),
    );
    await Promise.all(studies.map((study) => study.result()));
    return await Promise.all(studies.map(trajectories));
  })();

  await using fleet = await RoleFleet.start({
    servers: 2,
    workers: 2,
    args: [...BACKEND, '--max-worker-deaths', '0'],
  });
  const random = new Random(SEED);
  const studies = await Promise.all(
    ESTIMATORS.map((estimator) => fleet.client.studies.create(spec(estimator))),
  );
  const watched = Promise.all(
    studies.map(async (study) => {
      const cursors: number[] = [];
      const told: string[] = [];
      for await (const event of study.watch()) {
        if (event.type !== 'progress') cursors.push(Number(event.cursor));
        if (event.type === 'outerStep') told.push(event.name);
      }
      return { cursors, told };
    }),
  );
  for (let kills = 0; kills < KILLS; kills += 1) {
    await sleep(random.between(300, 2_500));
    const role = kills % 2 === 0 ? 'worker' : 'server';
    const victim = random.oneOf(fleet.processes.filter((each) => each.role === role));
    await victim.kill();
    await victim.start();
  }

  for (const { cursors, told } of await watched) {
    // Every event once and in order, whichever server told of it.
    expect(cursors).toEqual(cursors.map((_, i) => i + 1));
    expect(new Set(told).size).toBe(told.length);
    expect(told).toHaveLength(SEEDS.length * OUTER_STEPS);
  }
  for (const [i, study] of studies.entries()) {
    expect((await study.refresh()).state).toBe('COMPLETED');
    expect(await trajectories(study)).toEqual(undisturbed[i]);
  }
}, 600_000);
