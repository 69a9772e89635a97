/** Pausing, resuming and deleting studies: with real training, over restarts and `kill -9` of the server. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StudyState } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import type { Study } from '@glocal/sdk';
import { checkHistory, SqliteStore } from '@glocal/trainer/testing';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Channel } from '../support/grpc.ts';
import { trainingProcesses } from '../support/processes.ts';
import { rejection } from '../support/rejection.ts';
import { longStudy, type QuickSpace, quickStudy, training } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const WITHIN = { timeout: 60_000, interval: 50 };

const trialState = async (study: Study<QuickSpace>, number = 0) =>
  (await study.trial({ trial: `${study.name}/trials/${number}` })).state;

/** Sentences about what is wrong in a store that no server has open. */
async function problems(path: string): Promise<string[]> {
  const store = await SqliteStore.open(path);
  try {
    const all: string[] = [];
    for (const study of (await store.listStudies({ limit: 99 })).records) {
      const { records } = await store.listEvents(study.name, { limit: 1e6 });
      const { records: trials } = await store.listTrials(study.name);
      all.push(...checkHistory({ events: records.map(({ event }) => event), study, trials }));
    }
    return all;
  } finally {
    await store.close();
  }
}

describe('a study', () => {
  let trainer: TestTrainer;
  let channel: Channel;
  beforeAll(async () => {
    trainer = await TestTrainer.start();
    channel = new Channel(trainer.address);
  });
  afterAll(async () => {
    channel[Symbol.dispose]();
    await trainer[Symbol.asyncDispose]();
    expect(await problems(trainer.store)).toEqual([]);
  });

  const pause = (name: string) => channel.unary(Api.pauseStudy, { name });
  const resume = (name: string, trials: { trial: string; outerStep: number }[] = []) =>
    channel.unary(Api.resumeStudy, { name, trials });
  const remove = (name: string, force = false) => channel.unary(Api.deleteStudy, { name, force });

  it('that is paused trains its window to the end, leaves no process, keeps a checkpoint, and goes on from it', async () => {
    const study = await trainer.client.studies.create(longStudy({ seeds: [0, 1] }));
    await training(study);
    await pause(study.name);
    await expect.poll(() => trialState(study), WITHIN).toBe('PAUSED');
    expect(await trialState(study, 1)).toBe('PAUSED');
    expect(await study.refresh()).toMatchObject({ state: 'PAUSED', stateReason: 'paused by a caller' });
    await expect.poll(() => trainingProcesses(trainer.pid).length, WITHIN).toBe(0);
    const paused = await study.trial();
    expect(paused.stateReason).toBe(
      `paused by a caller; it goes on after outer step ${paused.outerStepsDone}`,
    );
    expect(paused.checkpoints.at(-1)).toBe(paused.outerStepsDone);
    expect(Number(paused.checkpointBytes)).toBeGreaterThan(1_000);

    await resume(study.name);
    await expect
      .poll(async () => (await study.trial()).outerStepsDone, WITHIN)
      .toBeGreaterThan(paused.outerStepsDone);
    expect(await study.refresh()).toMatchObject({ state: 'ACTIVE' });
    await study.cancel();
  });

  it('goes on from the checkpoint that a caller names, and stores no outer step twice', async () => {
    const study = await trainer.client.studies.create(longStudy());
    await expect.poll(async () => (await study.trial()).outerStepsDone, WITHIN).toBeGreaterThan(2);
    await pause(study.name);
    await expect.poll(() => trialState(study), WITHIN).toBe('PAUSED');
    const { name: trial, checkpoints, outerStepsDone } = await study.trial();
    const older = checkpoints.at(-2) ?? 0;
    expect(older).toBe(outerStepsDone - 1);
    const wrong = await rejection<ServiceError>(resume(study.name, [{ trial, outerStep: 1_000 }]));
    expect(wrong).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: `trials[0].outer_step: no checkpoint of outer step 1000 is kept; those of ${checkpoints.join(', ')} are`,
    });
    await resume(study.name, [{ trial, outerStep: older }]);
    await expect
      .poll(async () => (await study.trial()).outerStepsDone, WITHIN)
      .toBeGreaterThan(outerStepsDone);
    expect((await study.trial()).stateReason).toBe(
      `resumed; it goes on after outer step ${outerStepsDone}; outer steps ${outerStepsDone} to ${outerStepsDone} are trained again and not stored again`,
    );
    await study.cancel();
  });

  it('that is deleted is gone with its checkpoints, its watchers are told, and its request id is free', async () => {
    const study = await trainer.client.studies.create(longStudy(), { requestId: 'once' });
    await training(study);
    const { details, code } = await rejection<ServiceError>(remove(study.name));
    expect({ details, code }).toEqual({
      code: status.FAILED_PRECONDITION,
      details: `${study.name} is ACTIVE and cannot be deleted; cancel it first, or say force`,
    });
    const watching = Array.fromAsync(
      channel.open(Api.watchStudy, { name: study.name, cursor: '', maxLag: 0 }),
    ).catch((error: ServiceError) => error.code);
    await remove(study.name, true);
    // One that has read of the cancellation has nothing more to learn.
    const seen = await watching;
    const last = Array.isArray(seen) ? seen.at(-1)?.event : undefined;
    if (Array.isArray(seen)) expect(['study', 'trial']).toContain(last?.$case);
    else expect(seen).toBe(status.NOT_FOUND);
    await remove(study.name);
    expect(existsSync(join(`${trainer.store}.checkpoints`, study.name.split('/')[1] ?? ''))).toBe(false);
    expect(await rejection(trainer.client.studies.get(study.name))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rejection<ServiceError>(remove('studies/none'))).toMatchObject({ code: status.NOT_FOUND });
    const again = await trainer.client.studies.create(quickStudy({ outerSteps: 1 }), { requestId: 'once' });
    expect(again.name).not.toBe(study.name);
    await again.result();
  });

  it('is found by its state and its labels', async () => {
    const labelled = await channel.unary(Api.createStudy, {
      study: {
        ...(await channel.unary(Api.getStudy, { name: (await anyStudy()).name })),
        labels: { team: 'x' },
      },
      requestId: '',
    });
    const list = async (states: StudyState[], labels: Record<string, string>) => {
      const request = { pageSize: 0, pageToken: '', states, labels };
      return (await channel.unary(Api.listStudies, request)).studies.map(({ name }) => name);
    };
    expect(await list([], { team: 'x' })).toEqual([labelled.name]);
    expect(await list([], { team: 'y' })).toEqual([]);
    await pause(labelled.name);
    expect(await list([StudyState.PAUSED], { team: '' })).toEqual([labelled.name]);
    expect(await list([StudyState.ACTIVE], { team: '' })).toEqual([]);
    const error = await rejection<ServiceError>(list([77 as StudyState], { 'a b': '' }));
    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/^states\[0\]: 77 is unknown; .*labels\[a b\]: its key "a b" has other/),
    });
    await remove(labelled.name, true);
  });

  async function anyStudy(): Promise<Study<QuickSpace>> {
    const study = await trainer.client.studies.create(quickStudy({ outerSteps: 1 }));
    await study.result();
    return study;
  }
});

it('a pause outlives the server: killed before the boundary, the trial does not go on by itself', async () => {
  await using folder = await temporaryFolder();
  const store = join(folder.path, 'studies.db');
  await using first = await TestTrainer.start({ store });
  const study = await first.client.studies.create(longStudy());
  await training(study);
  using channel = new Channel(first.address);
  await channel.unary(Api.pauseStudy, { name: study.name });
  await first.kill();

  await using second = await TestTrainer.start({ store });
  const paused = await second.client.studies.get<QuickSpace>(study.name);
  const { state, outerStepsDone } = await paused.trial();
  expect(state).toBe('PAUSED');
  expect(trainingProcesses(second.pid)).toEqual([]);
  using other = new Channel(second.address);
  await other.unary(Api.resumeStudy, { name: study.name, trials: [] });
  await expect
    .poll(async () => (await paused.trial()).outerStepsDone, WITHIN)
    .toBeGreaterThan(outerStepsDone);
  await paused.cancel();
  await second.server.stop();
  expect(await problems(store)).toEqual([]);
});

it('a server that is stopped drains: the window that is trained is stored, with its checkpoint', async () => {
  await using folder = await temporaryFolder();
  const store = join(folder.path, 'studies.db');
  await using first = await TestTrainer.start({ store, args: ['--drain-seconds', '30'] });
  const study = await first.client.studies.create(longStudy());
  await training(study);
  process.kill(first.pid, 'SIGTERM');
  expect((await first.server.ended).how).toBe('exit code 0');

  await using second = await TestTrainer.start({ store });
  const resumed = await second.client.studies.get<QuickSpace>(study.name);
  await expect.poll(async () => (await resumed.trial()).attempts, WITHIN).toBe(2);
  // Nothing is trained again.
  expect((await resumed.trial()).stateReason).toMatch(
    /^the server stopped; it goes on after outer step \d+$/,
  );
  await resumed.cancel();
});
