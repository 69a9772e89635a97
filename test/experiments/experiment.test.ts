/** Experiments against a real trainer. */

import { fixed, float, type GlocalClient, type ParameterMap, type Space, space } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arm } from '../../experiments/src/experiment.ts';
import type { Finished } from '../../experiments/src/outcome.ts';
import { cancelOthers, finishArms, startArms } from '../../experiments/src/run.ts';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;
let client: GlocalClient;
beforeAll(async () => {
  trainer = await TestTrainer.start();
  client = trainer.client;
});
afterAll(() => trainer[Symbol.asyncDispose]());

const arm = (title: string, rates: readonly number[], changes: Partial<Arm['spec']> = {}): Arm => ({
  ...{ id: `small: ${title}`, table: 'small', title, readout: 'last' },
  spec: {
    space: space({
      lr: float({ min: 1e-4, max: 100, init: rates, scale: 'log' }),
      weightDecay: fixed(1e-3),
    }) as Space<ParameterMap>,
    problem: { dataset: 'fashion-mnist-10k', model: 'logistic', optimizer: 'sgd', validationExamples: 100 },
    training: { steps: 10 },
    method: { estimator: 'fixed', window: 5 },
    ...changes,
  },
});

async function run(arms: readonly Arm[], seeds = 1, signal = new AbortController().signal) {
  const started = await startArms(client, arms, seeds, signal);
  await cancelOthers(client, started, []);
  return Array.fromAsync(finishArms(started, signal));
}
const studies = (finished: readonly Finished[]) => finished.map(({ study }) => study);

describe('an experiment', () => {
  it('has an outcome for each start and seed', async () => {
    const [finished] = await run([arm('both', [0.01, 0.1])], 2);
    const trials = finished?.trials ?? [];
    expect(trials.map(({ start, seed }) => [start, seed])).toEqual([
      [0.01, 0],
      [0.01, 1],
      [0.1, 0],
      [0.1, 1],
    ]);
    for (const { accuracy, cost } of trials) {
      expect(accuracy).toBeGreaterThan(0.1);
      expect(cost).toBeCloseTo(1, 9);
    }
  });

  it('takes what was run with the same settings, and runs what was not', async () => {
    const first = await run([arm('again', [0.01])]);
    expect(studies(await run([arm('again', [0.01])]))).toEqual(studies(first));
    expect(studies(await run([arm('again', [0.02])]))).not.toEqual(studies(first));
  });

  it('cancels what an earlier run wanted and this one does not, and makes it anew when it is wanted again', async () => {
    const long = arm('long', [0.01], { training: { steps: 1_000_000 } });
    const controller = new AbortController();
    const running = run([long], 1, controller.signal);
    await expect.poll(async () => activeStudies()).toHaveLength(1);
    const [before] = await activeStudies();
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    await run([arm('short', [0.03])]);
    expect(await activeStudies()).toEqual([]);
    const again = new AbortController();
    const restarted = run([long], 1, again.signal);
    await expect.poll(async () => activeStudies()).toHaveLength(1);
    expect(await activeStudies()).not.toEqual([before]);
    again.abort();
    await expect(restarted).rejects.toMatchObject({ code: 'CANCELLED' });
    await run([]);
  });

  it('leaves what it wants later', async () => {
    const long = (title: string) => arm(title, [0.01], { training: { steps: 1_000_000 } });
    const start = (title: string) => startArms(client, [long(title)], 1, new AbortController().signal);
    const [later] = await start('later');
    await start('not wanted any more');
    const first = await start('first');
    await cancelOthers(client, first, ['small: later']);
    expect(new Set(await activeStudies())).toEqual(new Set([later, ...first].map((one) => one?.study.name)));
    await cancelOthers(client, [], []);
    expect(await activeStudies()).toEqual([]);
  });

  it('has runs that diverge as outcomes, and stops at one that somebody has cancelled', async () => {
    const wild = arm('wild', [100], {
      problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd', validationExamples: 100 },
    });
    const [finished] = await run([wild]);
    expect(finished?.trials).toMatchObject([{ state: 'INFEASIBLE', accuracy: undefined }]);
    expect(studies(await run([wild]))).toEqual([finished?.study]);
    const stopped = expect(run([arm('stopped', [0.01], { training: { steps: 1_000_000 } })])).rejects;
    const told = stopped.toThrow(/^small: stopped: /);
    await expect.poll(async () => activeStudies()).toHaveLength(1);
    const [name = ''] = await activeStudies();
    await (await client.studies.get(name)).cancel();
    await told;
  });
});

async function activeStudies(): Promise<string[]> {
  const active = await Array.fromAsync(client.studies.list({ states: ['ACTIVE'] }));
  return active.map(({ name }) => name);
}
