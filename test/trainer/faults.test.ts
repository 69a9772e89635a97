/** A training process that is killed, and a DMD service that is: what is lost, what goes on, and what is said about it. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { OuterStep, Study } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadAddress } from '../support/ports.ts';
import { dmdProcesses, trainingProcesses } from '../support/processes.ts';
import { longStudy, type QuickSpace, quickStudy, training } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

/** The one process of its kind, which must be there. */
function only<T>(items: readonly T[]): T {
  expect(items).toHaveLength(1);
  return items[0] as T;
}

/** Where training went: without names and times, and without what DMD says. */
const path = (outerSteps: readonly OuterStep<QuickSpace>[]) =>
  outerSteps.map(({ index, step, values, nextValues, trainLoss, validation, update }) => ({
    ...{ index, step, values, nextValues, trainLoss, validation },
    hypergradient: update?.hypergradient,
  }));

describe('a training process that is killed', () => {
  let trainer: TestTrainer;
  let study: Study<QuickSpace>;
  beforeAll(async () => {
    trainer = await TestTrainer.start();
    study = await trainer.client.studies.create(longStudy());
    await training(study);
    process.kill(only(trainingProcesses(trainer.pid)).pid, 'SIGKILL');
  });
  afterAll(() => trainer[Symbol.asyncDispose]());

  it('is replaced by another one, and the trial goes on after the last outer step that was told', async () => {
    const attempt = async () => (await study.trial()).attempts;
    await expect.poll(attempt, { timeout: 20_000 }).toBe(2);
    const { outerStepsDone, stateReason } = await study.trial();
    expect(stateReason).toMatch(
      /^the training process ended with SIGKILL.*; it goes on after outer step \d+$/,
    );
    const moved = async () => (await study.trial()).outerStepsDone;
    await expect.poll(moved, { timeout: 30_000 }).toBeGreaterThan(outerStepsDone);
    expect(await study.trial()).toMatchObject({ state: 'RUNNING', attempts: 2, crashes: 0 });
    const indices = (await Array.fromAsync(study.outerSteps())).map(({ index }) => index);
    expect(indices).toEqual(indices.map((_, i) => i + 1));
  });

  it('leaves no checkpoints behind when its study is cancelled', async () => {
    const checkpoints = join(`${trainer.store}.checkpoints`, study.name.split('/')[1] ?? '', '0');
    await expect.poll(() => existsSync(checkpoints)).toBe(true);
    expect(readdirSync(checkpoints).length).toBeGreaterThanOrEqual(2);
    await study.cancel();
    await expect.poll(() => existsSync(checkpoints)).toBe(false);
  });

  it('does not disturb the next study', async () => {
    const next = await trainer.client.studies.create(quickStudy({ outerSteps: 1 }));
    expect(await next.result()).toMatchObject({ state: 'COMPLETED' });
  });
});

describe('a DMD service that is killed while a trial needs it', () => {
  let trainer: TestTrainer;
  let killed: number;
  let undisturbed: readonly OuterStep<QuickSpace>[];
  let disturbed: readonly OuterStep<QuickSpace>[];
  beforeAll(async () => {
    trainer = await TestTrainer.start();
    const spec = quickStudy({ outerSteps: 5 });
    const before = await trainer.client.studies.create(spec);
    expect(await before.result()).toMatchObject({ state: 'COMPLETED' });
    undisturbed = await Array.fromAsync(before.outerSteps());

    const study = await trainer.client.studies.create(spec);
    await training(study);
    killed = only(dmdProcesses(trainer.pid)).pid;
    process.kill(killed, 'SIGKILL');
    expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
    disturbed = await Array.fromAsync(study.outerSteps());
  });
  afterAll(() => trainer[Symbol.asyncDispose]());

  it('is started again, at the same address', async () => {
    expect(only(dmdProcesses(trainer.pid)).pid).not.toBe(killed);
    const { dmdAddress } = await trainer.client.serverInfo();
    const ready = () =>
      trainer.log.flatMap((line) => line.match(/"address":"([^"]+)".*DMD service ready/)?.[1] ?? []);
    await expect.poll(ready).toEqual([dmdAddress, dmdAddress]);
  });

  it('gives every window its report all the same', () => {
    expect(disturbed).toHaveLength(5);
    expect(disturbed.map(({ report }) => report?.verdict)).toEqual(undisturbed.map(({ verdict }) => verdict));
    expect(disturbed.map(({ verdict }) => verdict)).not.toContain(undefined);
  });

  it('changes no value: the trial takes the path that it takes undisturbed', () => {
    expect(path(disturbed)).toEqual(path(undisturbed));
    expect(disturbed.map(({ report }) => report?.spectrum)).toEqual(
      undisturbed.map(({ report }) => report?.spectrum),
    );
  });
});

describe('a DMD service that stays away longer than the budget', () => {
  let trainer: TestTrainer;
  beforeAll(async () => {
    trainer = await TestTrainer.start({
      args: ['--dmd-address', await deadAddress(), '--dmd-retry-seconds', '0.3'],
    });
  });
  afterAll(() => trainer[Symbol.asyncDispose]());

  it('is replaced by the local hypergradient, and the outer step says so', async () => {
    const study = await trainer.client.studies.create(quickStudy());
    expect(await study.result()).toMatchObject({ state: 'COMPLETED' });
    const outerSteps = await Array.fromAsync(study.outerSteps({ includeWindows: true }));
    expect(outerSteps).toHaveLength(3);
    for (const { report, verdict, update, window } of outerSteps) {
      expect({ report, verdict }).toEqual({});
      expect(update).toMatchObject({
        sources: ['local', 'local'],
        reason: 'the DMD service did not answer',
        hypergradient: Array.from(window?.hypergradients?.at(-1) ?? []),
      });
    }
  });

  it('is mentioned in the reasons of trial and study, and in the log', async () => {
    const study = await trainer.client.studies.create(quickStudy());
    const { stateReason, trials } = await study.result();
    const note = '3 of 3 outer steps used the local hypergradient because the DMD service gave no report';
    expect(stateReason).toBe(`1 of 1 trials succeeded; ${note}`);
    expect(only(trials).stateReason).toBe(`all 60 inner steps done; ${note}`);
    const warning = /"reason":"the DMD service did not answer".*a window used the local hypergradient/;
    expect(trainer.log.filter((line) => warning.test(line)).length).toBeGreaterThanOrEqual(3);
  });

  it('leaves the trial on the path of the estimator local', async () => {
    const specs = [quickStudy(), quickStudy({ estimator: 'local' })];
    const paths = await Promise.all(
      specs.map(async (spec) => {
        const study = await trainer.client.studies.create(spec);
        await study.result();
        return path(await Array.fromAsync(study.outerSteps()));
      }),
    );
    expect(paths[0]).toHaveLength(3);
    expect(paths[0]).toEqual(paths[1]);
  });

  it('is waited for once in a trial, not once a window', async () => {
    await using patient = await TestTrainer.start({
      args: ['--dmd-address', await deadAddress(), '--dmd-retry-seconds', '3'],
    });
    const study = await patient.client.studies.create(quickStudy({ outerSteps: 6 }));
    await study.result();
    const ms = (await Array.fromAsync(study.outerSteps())).map(({ timing }) => timing.dmd);
    expect(ms.filter((waited) => waited > 1_000)).toHaveLength(1);
  });

  it('is no reason to start one', () => {
    expect(dmdProcesses(trainer.pid)).toEqual([]);
  });
});
