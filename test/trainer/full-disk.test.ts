/** A full disk: the server says so, begins nothing, loses nothing, leaves no process behind, and goes on when there is room. */

import { StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import type { Study } from '@glocal/sdk';
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canFillDisk, fillDisk, freeDisk } from '../support/disk.ts';
import { health, methodIn } from '../support/dynamic.ts';
import { Channel } from '../support/grpc.ts';
import { expectGone, processorTicks, trainingProcesses } from '../support/processes.ts';
import { rejection } from '../support/rejection.ts';
import { longStudy, type QuickSpace, quickStudy, training } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

/** As pino counts. */
const WARNING = 40;
const WITHIN = { timeout: 30_000, interval: 100 };

describe.skipIf(!canFillDisk)('a full disk', () => {
  let trainer: TestTrainer;
  let channel: Channel;
  let study: Study<QuickSpace>;
  /** The last of the tests stops it. */
  let stopped = false;
  beforeAll(async () => {
    trainer = await TestTrainer.start();
    channel = new Channel(trainer.address);
  });
  beforeEach(async () => {
    study = await trainer.client.studies.create(longStudy());
    await training(study);
    fillDisk(trainer.pid);
    await expect.poll(serving, WITHIN).toBe('NOT_SERVING');
  });
  afterEach(async () => {
    if (stopped) return;
    freeDisk(trainer.pid);
    await expect.poll(serving, WITHIN).toBe('SERVING');
    await study.cancel();
    await expect.poll(() => trainingProcesses(trainer.pid), WITHIN).toEqual([]);
  });
  afterAll(async () => {
    channel[Symbol.dispose]();
    await trainer[Symbol.asyncDispose]();
  });

  const serving = async () => {
    const answer = await channel.unary(methodIn(health, 'Check'), { service: 'glocal.v1.StudyService' });
    return (answer as { readonly status: string }).status;
  };
  /** Whether a process takes time of the processor, of which one that waits takes next to nothing. */
  const computes = async (pid: number) => {
    const before = processorTicks(pid);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return processorTicks(pid) - before > 5;
  };
  const cancel = () => channel.unary(StudyServiceService.cancelStudy, { name: study.name });
  const firstTrial = async () => (await study.refresh()).trial();

  it('is told to callers that would change something, and others are answered', async () => {
    const error = await rejection<Error>(cancel());
    expect(error).toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringMatching(/^the store cannot write: /),
    });
    expect(await firstTrial()).toMatchObject({ state: 'RUNNING' });
  });

  it('lets the trial that runs wait, and it loses no outer step', async () => {
    const { outerStepsDone } = await firstTrial();
    const [running, ...others] = trainingProcesses(trainer.pid);
    expect(others).toEqual([]);
    await expect.poll(() => computes(running?.pid ?? 0), WITHIN).toBe(false);
    freeDisk(trainer.pid);
    await expect.poll(serving, WITHIN).toBe('SERVING');
    await expect
      .poll(async () => (await firstTrial()).outerStepsDone, WITHIN)
      .toBeGreaterThan(outerStepsDone + 10);
    const indices = (await Array.fromAsync(study.outerSteps())).map(({ index }) => index);
    expect(indices).toEqual(indices.map((_, i) => i + 1));
  });

  it('keeps what becomes of a trial until it can be stored, and begins no trial before', async () => {
    const [first] = trainingProcesses(trainer.pid);
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => trainingProcesses(trainer.pid), WITHIN).toEqual([]);
    expect(await firstTrial()).toMatchObject({ state: 'RUNNING' });
    freeDisk(trainer.pid);
    await expect.poll(async () => (await firstTrial()).attempts, WITHIN).toBe(2);
    expect((await firstTrial()).stateReason).toMatch(/^the training process ended with SIGKILL/);
    await study.cancel();
    const next = await trainer.client.studies.create(quickStudy({ estimator: 'fixed', outerSteps: 1 }));
    expect(await next.result()).toMatchObject({ state: 'COMPLETED' });
  });

  it('does not keep the server from stopping, with all that it started, and the log says it in one line', async () => {
    const processes = trainingProcesses(trainer.pid);
    stopped = true;
    process.kill(trainer.pid, 'SIGTERM');
    expect((await trainer.server.ended).how).toBe('exit code 0');
    await expectGone(processes);
    const lines = trainer.log.filter((text) => text.startsWith('{')).map((text) => JSON.parse(text));
    expect(lines.filter(({ msg }) => msg === 'a trial could not be ended')).toEqual([
      expect.objectContaining({
        ...{ level: WARNING, study: study.name, trial: `${study.name}/trials/0` },
        reason: expect.stringMatching(/^the store cannot write: [^()]+$/),
      }),
    ]);
    expect(trainer.log.filter((text) => text.includes('"stack"'))).toEqual([]);
  });
});
