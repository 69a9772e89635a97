/**
 * `kill -9` of the server and of training processes at seeded moments: the trial goes on, and follows the trajectory of one
 * that was never disturbed, bit for bit.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OuterStep, Study, StudySpec } from '@glocal/sdk';
import { expect, it, vi } from 'vitest';
import { trainingProcesses, untilGone } from '../support/processes.ts';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const OUTER_STEPS = 10;
/** After which outer step, how many milliseconds later, and who. */
const KILLS = [
  [2, 7, 'server'],
  [4, 31, 'training process'],
  [6, 20, 'server'],
] as const;

/** With momentum, averaged weights, and in the second case sensitivities that are carried on. */
function study(estimator: 'glocal' | 'mean'): StudySpec<QuickSpace> {
  const spec = quickStudy({ estimator, outerSteps: OUTER_STEPS });
  const carried = estimator === 'mean' ? { sensitivityDiscount: 0.5 } : {};
  return { ...spec, method: { ...spec.method, evaluation: 'averaged', averaging: 0.9, ...carried } };
}

/** All there is to an outer step, but for names and times. */
const trajectory = (outerSteps: readonly OuterStep<QuickSpace>[]) =>
  outerSteps.map(({ name: _name, trial: _trial, timing: _timing, report, ...rest }) => ({
    ...rest,
    report: report && { ...report, computeTime: 0 },
  }));

const trajectoryOf = async (done: Study<QuickSpace>) =>
  trajectory(await Array.fromAsync(done.outerSteps({ includeWindows: true })));

/** Waits until an outer step is stored. */
async function reached(running: Pick<Study<QuickSpace>, 'trial'>, index: number): Promise<void> {
  await vi.waitUntil(async () => (await running.trial()).outerStepsDone >= index, {
    timeout: 120_000,
    interval: 5,
  });
}

it.each([
  ['glocal', 'tensorflow'],
  ['mean', 'wasm'],
] as const)(
  'a trial that is killed again and again, with its server or its process, goes on as if nothing had been: %s on %s',
  async (estimator, backend) => {
    const args = ['--backend', backend];
    await using folder = await temporaryFolder();
    const store = join(folder.path, 'studies.db');
    let trainer = await TestTrainer.start({ store, args });
    try {
      const undisturbed = await trainer.client.studies.create(study(estimator));
      const reference = (await undisturbed.result()).trials[0];
      const expected = await trajectoryOf(undisturbed);
      expect(expected).toHaveLength(OUTER_STEPS);

      const { name } = await trainer.client.studies.create(study(estimator));
      for (const [index, ms, whom] of KILLS) {
        await reached(await trainer.client.studies.get<QuickSpace>(name), index);
        await sleep(ms);
        if (whom === 'server') {
          await trainer.kill();
          await trainer[Symbol.asyncDispose]();
          trainer = await TestTrainer.start({ store, args });
        } else {
          for (const { pid } of trainingProcesses(trainer.pid)) process.kill(pid, 'SIGKILL');
        }
      }
      const disturbed = await trainer.client.studies.get<QuickSpace>(name);
      const { trials } = await disturbed.result();
      expect(trials[0]).toMatchObject({ state: 'SUCCEEDED', crashes: 0 });
      expect(trials[0]?.attempts).toBeGreaterThanOrEqual(2);
      expect(await trajectoryOf(disturbed)).toEqual(expected);
      expect(trials[0]?.test).toEqual(reference?.test);
      expect(trials[0]?.averagedTest).toEqual(reference?.averagedTest);
      // Those of trials that have ended are gone.
      await expect.poll(() => existsSync(`${store}.checkpoints`)).toBe(false);
    } finally {
      await trainer[Symbol.asyncDispose]();
    }
  },
  240_000,
);

it('a damaged checkpoint is named, the one before is used, and no outer step is stored twice', async () => {
  await using folder = await temporaryFolder();
  const store = join(folder.path, 'studies.db');
  await using first = await TestTrainer.start({ store });
  const { name } = await first.client.studies.create(quickStudy({ estimator: 'mean', outerSteps: 400 }));
  await reached(await first.client.studies.get<QuickSpace>(name), 5);
  const trainers = trainingProcesses(first.pid);
  await first.kill();
  await untilGone(trainers);

  const path = join(`${store}.checkpoints`, name.split('/')[1] ?? '', '0');
  const kept = readdirSync(path).sort((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10));
  for (const file of kept.slice(1)) {
    const bytes = readFileSync(join(path, file));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(join(path, file), bytes);
  }
  await using second = await TestTrainer.start({ store });
  const resumed = await second.client.studies.get<QuickSpace>(name);
  const { outerStepsDone } = await resumed.trial();
  await reached(resumed, outerStepsDone + 2);
  const told =
    /^the server ended; it goes on after outer step \d+; checkpoint \d+ cannot be used: it is damaged: .*; outer steps (\d+) to \d+ are trained again and not stored again$/;
  const { stateReason } = await resumed.trial();
  expect(stateReason).toMatch(told);
  expect(Number(told.exec(stateReason)?.[1])).toBe(Number.parseInt(kept[0] ?? '', 10) + 1);
  const indices = (await Array.fromAsync(resumed.outerSteps())).map(({ index }) => index);
  expect(indices).toEqual(indices.map((_, i) => i + 1));
  await resumed.cancel();
});
