/** Cancelling a study: its trials end now, its watchers are told, and nothing of it goes on. */

import type { Study, TrialEvent } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectGone, trainingProcesses } from '../support/processes.ts';
import { longStudy, type QuickSpace, quickStudy, training } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

let trainer: TestTrainer;

beforeAll(async () => {
  trainer = await TestTrainer.start();
});
afterAll(() => trainer[Symbol.asyncDispose]());

async function trialEvents(study: Study<QuickSpace>): Promise<TrialEvent<QuickSpace>[]> {
  const events: TrialEvent<QuickSpace>[] = [];
  for await (const event of study.watch()) if (event.type === 'trial') events.push(event);
  return events;
}

const lastStates = (events: readonly TrialEvent[]) => [
  ...new Map(events.map(({ name, state, stateReason }) => [name, { state, stateReason }])).values(),
];

const CANCELLED = { state: 'CANCELLED', stateReason: 'the study was cancelled' };

describe('cancelling a study whose trial trains', () => {
  it('ends the trial, tells its watchers, and leaves no process that trains', async () => {
    const study = await trainer.client.studies.create(longStudy());
    const watching = trialEvents(study);
    await training(study);
    const processes = trainingProcesses(trainer.pid);
    expect(processes).toHaveLength(1);

    await study.cancel();
    expect(study).toMatchObject({ state: 'CANCELLED', stateReason: 'cancelled by a caller', ended: true });
    expect(await study.trial()).toMatchObject(CANCELLED);
    await expectGone(processes);
    expect(lastStates(await watching)).toEqual([CANCELLED]);
  });

  it('keeps what the trial has done', async () => {
    const study = await trainer.client.studies.create(longStudy());
    const { index } = await training(study);
    await study.cancel();
    const { outerStepsDone, stepsDone, values, endTime } = await study.trial();
    const last = await study.outerStep(outerStepsDone);
    expect(outerStepsDone).toBeGreaterThanOrEqual(index);
    expect({ stepsDone, values }).toEqual({ stepsDone: last.step, values: last.nextValues });
    expect(endTime).toBeInstanceOf(Date);
    expect((await study.result()).best).toBeUndefined();
  });

  it('does not start its other trials', async () => {
    const study = await trainer.client.studies.create(longStudy({ seeds: [0, 1, 2] }));
    await training(study);
    await study.cancel();
    const events = await trialEvents(study);
    expect(lastStates(events)).toEqual([CANCELLED, CANCELLED, CANCELLED]);
    const started = events.filter(({ state }) => state === 'RUNNING').map(({ name }) => name);
    expect(new Set(started)).toEqual(new Set([`${study.name}/trials/0`]));
  });

  it('lets the next study train', async () => {
    const study = await trainer.client.studies.create(longStudy());
    const next = await trainer.client.studies.create(quickStudy({ outerSteps: 1 }));
    await training(study);
    await study.cancel();
    expect(await next.result()).toMatchObject({ state: 'COMPLETED' });
  });
});

it('cancelling a study that waits for another ends it at once, and leaves the other alone', async () => {
  const other = await trainer.client.studies.create(longStudy());
  await training(other);
  const study = await trainer.client.studies.create(quickStudy());
  await study.cancel();
  const events = await trialEvents(study);
  expect(events).toMatchObject([{ ...CANCELLED, stepsDone: 0, startTime: undefined }]);
  expect((await other.trial()).state).toBe('RUNNING');
  await other.cancel();
});

it('cancelling a study that has ended changes nothing', async () => {
  const study = await trainer.client.studies.create(quickStudy({ estimator: 'fixed', outerSteps: 1 }));
  await study.result();
  const before = await Array.fromAsync(study.watch());
  const { updateTime } = study;
  await study.cancel();
  expect(study).toMatchObject({ state: 'COMPLETED', updateTime });
  expect(await Array.fromAsync(study.watch())).toEqual(before);
});

it('cancelling twice at the same time cancels once', async () => {
  const study = await trainer.client.studies.create(longStudy());
  await training(study);
  const twin = await trainer.client.studies.get(study.name);
  await Promise.all([study.cancel(), twin.cancel()]);
  const events = await Array.fromAsync(study.watch());
  const ends = events.filter((event) => 'state' in event && event.state === 'CANCELLED');
  expect(ends.map(({ type }) => type)).toEqual(['study', 'trial']);
  expect((await study.trial()).state).toBe('CANCELLED');
});
