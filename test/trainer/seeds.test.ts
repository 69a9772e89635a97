/** Seeds: the same one trains the same, and each of several has a trial of its own. */

import type { OuterStep, Study, TrialEvent } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type QuickSpace, quickStudy } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;
let seven: Trained;
let sevenAgain: Trained;
let eight: Trained;

beforeAll(async () => {
  trainer = await TestTrainer.start();
  [seven, sevenAgain, eight] = await Promise.all([train(7), train(7), train(8)]);
});
afterAll(() => trainer[Symbol.asyncDispose]());

/** All that a seed decides: each outer step without its name and without times. */
function trajectory(outerSteps: readonly OuterStep<QuickSpace>[]) {
  return outerSteps.map(({ name: _name, trial: _trial, timing: _timing, report, ...step }) => ({
    ...step,
    report: report && { ...report, computeTime: undefined },
  }));
}

type Trained = Awaited<ReturnType<typeof train>>;

async function train(seed: number) {
  const study = await trainer.client.studies.create(quickStudy({ seeds: [seed] }));
  const { best } = await study.result();
  const outerSteps = await Array.fromAsync(study.outerSteps({ includeWindows: true }));
  return { trajectory: trajectory(outerSteps), test: best?.test };
}

describe('a seed', () => {
  it('gives the same trajectory twice, to the last bit', () => {
    expect(seven.trajectory).toHaveLength(3);
    expect(seven.test).toBeDefined();
    expect(sevenAgain).toEqual(seven);
  });

  it('gives another trajectory than another seed', () => {
    expect(eight.trajectory[0]?.window).not.toEqual(seven.trajectory[0]?.window);
    expect(eight.trajectory.at(-1)?.nextValues).not.toEqual(seven.trajectory.at(-1)?.nextValues);
    expect(eight.test?.loss).not.toBe(seven.test?.loss);
  });
});

describe('several seeds', () => {
  const seeds = [5, 0, 4_294_967_295];
  let study: Study<QuickSpace>;
  let trialEvents: TrialEvent<QuickSpace>[];

  beforeAll(async () => {
    study = await trainer.client.studies.create(quickStudy({ seeds, estimator: 'local', outerSteps: 1 }));
    trialEvents = [];
    for await (const event of study.watch()) if (event.type === 'trial') trialEvents.push(event);
  });

  it('have a trial each, in their order, with the figures of its own', async () => {
    const { trials, state, stateReason } = await study.result();
    expect({ state, stateReason }).toEqual({ state: 'COMPLETED', stateReason: '3 of 3 trials succeeded' });
    expect(trials.map(({ name, seed }) => [name, seed])).toEqual(
      seeds.map((seed, i) => [`${study.name}/trials/${i}`, seed]),
    );
    expect(new Set(trials.map(({ test }) => test?.loss)).size).toBe(3);
  });

  it('are trained one after the other', () => {
    const [first, second, third] = seeds.map((_, i) => `${study.name}/trials/${i}`);
    const changes = trialEvents.map(({ name, state }) => [name, state]);
    expect(changes.filter(([, state]) => state !== 'RUNNING')).toEqual(
      [first, second, third].map((name) => [name, 'SUCCEEDED']),
    );
    const order = changes.map(([name]) => name);
    expect(order).toEqual([...order].sort());
  });

  it('let the one with the lowest validation loss be the best', async () => {
    const { best, trials } = await study.result();
    const losses = trials.map(({ averagedValidation }) => averagedValidation?.loss ?? Number.NaN);
    expect(best?.averagedValidation?.loss).toBe(Math.min(...losses));
  });

  it('have outer steps and schedules of their own', async () => {
    const steps = await Promise.all(seeds.map((_, trial) => study.outerStep(1, { trial })));
    expect(steps.map(({ trial }) => trial)).toEqual(seeds.map((_, i) => `${study.name}/trials/${i}`));
    const schedules = await Promise.all(seeds.map((_, trial) => study.schedule({ trial })));
    expect(schedules.map(({ points }) => points.at(-1)?.values)).toEqual(
      steps.map(({ nextValues }) => nextValues),
    );
  });
});

it('with --max-running-trials, several trials train at once and do not disturb each other', async () => {
  await using parallel = await TestTrainer.start({ args: ['--max-running-trials', '2'] });
  const study = await parallel.client.studies.create(quickStudy({ seeds: [7, 8] }));
  const changes: string[] = [];
  for await (const event of study.watch()) {
    if (event.type === 'trial') changes.push(`${event.seed} ${event.state}`);
  }
  const first = (change: string) => changes.indexOf(change);
  for (const end of ['7 SUCCEEDED', '8 SUCCEEDED']) {
    expect(first(end)).toBeGreaterThan(Math.max(first('7 RUNNING'), first('8 RUNNING')));
  }
  const outerSteps = await Array.fromAsync(study.outerSteps({ trial: 0, includeWindows: true }));
  expect(trajectory(outerSteps)).toEqual(seven.trajectory);
});
