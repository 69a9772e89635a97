/** `kill -9` of the server: what was acknowledged is still there, and nothing that it started is. */

import type { OuterStep, Study } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dmdProcesses, expectGone, type RunningProcess, trainingProcesses } from '../support/processes.ts';
import { longStudy, type QuickSpace, quickStudy, training } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

describe('a server that is killed', () => {
  let first: TestTrainer;
  let second: TestTrainer;
  let running: Study<QuickSpace>;
  let waiting: Study<QuickSpace>;
  let ended: Study<QuickSpace>;
  let acknowledged: readonly OuterStep<QuickSpace>[];
  let processes: readonly RunningProcess[];
  /** Cursors of what someone saw who watched all along. */
  let watching: Promise<string[]>;

  beforeAll(async () => {
    first = await TestTrainer.start();
    const { studies } = first.client;
    ended = await studies.create(quickStudy({ estimator: 'fixed', outerSteps: 1 }));
    await ended.result();
    running = await studies.create(longStudy());
    waiting = await studies.create(quickStudy({ seeds: [0, 1], outerSteps: 1 }), { requestId: 'waiting' });
    const watched = await studies.get(running.name);
    watching = (async () => {
      const cursors: string[] = [];
      for await (const { type, cursor } of watched.watch()) if (type !== 'progress') cursors.push(cursor);
      return cursors;
    })();
    await training(running);
    acknowledged = await Array.fromAsync(running.outerSteps({ includeWindows: true }));
    processes = [...dmdProcesses(first.pid), ...trainingProcesses(first.pid)];
    expect(processes).toHaveLength(2);
    await first.kill();
    await expectGone(processes);
    second = await TestTrainer.start({ store: first.store, args: ['--listen', first.address] });
  });
  afterAll(async () => {
    await second?.[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
  });

  it('takes its DMD service and its training process along', async () => {
    await expectGone(processes);
  });

  it('has, when it is started again, every study that was acknowledged', async () => {
    const listed = await Array.fromAsync(second.client.studies.list());
    expect(listed.map(({ name }) => name)).toEqual([waiting.name, running.name, ended.name]);
    expect(await ended.refresh()).toMatchObject({ state: 'COMPLETED' });
  });

  it('has every outer step that was acknowledged, with its window', async () => {
    expect(acknowledged.length).toBeGreaterThan(0);
    const outerSteps = await Array.fromAsync(running.outerSteps({ includeWindows: true }));
    expect(outerSteps.slice(0, acknowledged.length)).toEqual(acknowledged);
  });

  it('goes on with the trial that ran, and says so', async () => {
    const { outerStepsDone } = await running.trial();
    expect(outerStepsDone).toBeGreaterThanOrEqual(acknowledged.length);
    await expect
      .poll(async () => (await running.trial()).outerStepsDone, { timeout: 30_000 })
      .toBeGreaterThan(outerStepsDone);
    expect(await running.trial()).toMatchObject({
      state: 'RUNNING',
      stateReason: expect.stringMatching(/^the server ended; it goes on after outer step \d+$/),
      attempts: 2,
      crashes: 0,
    });
    const indices = (await Array.fromAsync(running.outerSteps())).map(({ index }) => index);
    expect(indices).toEqual(indices.map((_, i) => i + 1));
    await running.cancel();
  });

  it('runs the trials that waited', async () => {
    const { state, trials } = await waiting.result();
    expect(state).toBe('COMPLETED');
    expect(trials.map((trial) => trial.state)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  });

  it('knows the request that made a study', async () => {
    const spec = quickStudy({ seeds: [0, 1], outerSteps: 1 });
    const again = await second.client.studies.create(spec, { requestId: 'waiting' });
    expect(again.name).toBe(waiting.name);
  });

  it('lets a watcher go on where it was, so that it sees every stored event once', async () => {
    const stored = await Array.fromAsync(running.watch());
    expect(await watching).toEqual(stored.map(({ cursor }) => cursor));
  });
});
