/** Stopping the server: by signal, and with the process that started it. */

import { fileURLToPath } from 'node:url';
import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import type { Study } from '@glocal/sdk';
import { type MethodDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { health, methodIn } from '../support/dynamic.ts';
import { withoutSettings } from '../support/environment.ts';
import { Channel } from '../support/grpc.ts';
import { descendants, dmdProcesses, expectGone, firstLine, trainingProcesses } from '../support/processes.ts';
import { rejection } from '../support/rejection.ts';
import { longStudy, type QuickSpace, training } from '../support/studies.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const SPAWN = fileURLToPath(import.meta.resolve('@glocal/trainer'));

/** What watchers are told of a trial until it waits. */
async function statesOf(study: Study<QuickSpace>): Promise<string[]> {
  const states: string[] = [];
  for await (const event of study.watch()) {
    if (event.type === 'trial') states.push(event.state);
    if (states.at(-1) === 'PENDING') break;
  }
  return states;
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  it('ends the server with exit code 0, and all that it started', async () => {
    await using trainer = await TestTrainer.start();
    const study = await trainer.client.studies.create(longStudy());
    await training(study);
    const processes = [...dmdProcesses(trainer.pid), ...trainingProcesses(trainer.pid)];
    expect(processes).toHaveLength(2);

    const watching = statesOf(study);
    process.kill(trainer.pid, signal);
    expect((await trainer.server.ended).how).toBe('exit code 0');
    await expectGone(processes);
    expect((await watching).at(-1), 'what watchers were told last').toBe('PENDING');
  });
});

it('a server that is stopped ends its streams at once, so that watchers look for the next one', async () => {
  await using trainer = await TestTrainer.start();
  await trainer.client.studies.create(longStudy({ seeds: [0] }));
  const waiting = await trainer.client.studies.create(longStudy({ seeds: [1] }));
  using channel = new Channel(trainer.address);
  const events = channel.open(Api.watchStudy, { name: waiting.name, cursor: '', maxLag: 0 });
  const healthWatch = methodIn(health, 'Watch') as MethodDefinition<object, object>;
  const states = channel.open(healthWatch, { service: '' });
  await Promise.all([events.next(), states.next()]);

  const ends = [
    rejection<ServiceError>(Array.fromAsync(events)),
    rejection<ServiceError>(Array.fromAsync(states)),
  ];
  process.kill(trainer.pid, 'SIGTERM');
  for (const error of await Promise.all(ends)) {
    // Streams that are left to the end of the drain are cut, and say nothing.
    expect(error).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'the server is stopping; connect again',
    });
  }
  expect((await trainer.server.ended).how).toBe('exit code 0');
});

it('a server that is told to stop is NOT_SERVING while its trials still train to their boundaries', async () => {
  await using trainer = await TestTrainer.start({ args: ['--drain-seconds', '20'] });
  // Its boundary is hours away.
  const study = await trainer.client.studies.create({
    ...longStudy(),
    training: { steps: 5_000_000 },
    method: { estimator: 'fixed', window: 5_000_000 },
  });
  const state = async () => (await study.trial()).state;
  await expect.poll(state, { timeout: 20_000 }).toBe('RUNNING');
  using channel = new Channel(trainer.address);
  const check = methodIn(health, 'Check') as MethodDefinition<object, { readonly status: string }>;
  const statuses = () =>
    Promise.all(
      ['', 'glocal.v1.StudyService'].map(async (service) => (await channel.unary(check, { service })).status),
    );
  process.kill(trainer.pid, 'SIGTERM');
  await expect.poll(statuses, { timeout: 10_000 }).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  expect(await state()).toBe('RUNNING');
  await study.cancel();
  expect((await trainer.server.ended).how).toBe('exit code 0');
});

it('a server that is stopped leaves its trials to the next one, those that run and those that wait', async () => {
  await using folder = await temporaryFolder();
  const store = `${folder.path}/studies.db`;
  await using first = await TestTrainer.start({ store });
  const [running, waiting] = [
    await first.client.studies.create(longStudy({ seeds: [0] })),
    await first.client.studies.create(longStudy({ seeds: [1] })),
  ];
  await training(running);
  process.kill(first.pid, 'SIGTERM');
  await first.server.ended;

  await using second = await TestTrainer.start({ store });
  const { studies } = second.client;
  const resumed = await studies.get(running.name);
  expect(await resumed.trial()).toMatchObject({
    stateReason: expect.stringMatching(/^the server stopped; it goes on after outer step \d+$/),
  });
  await expect.poll(async () => (await resumed.trial()).attempts, { timeout: 20_000 }).toBe(2);
  await resumed.cancel();
  await training(await studies.get(waiting.name));
});

it('a server that a program has started ends with it, also when it is killed', async () => {
  await using folder = await temporaryFolder();
  const program = `
    import { spawnTrainer } from ${JSON.stringify(SPAWN)};
    const { pid } = await spawnTrainer({ args: ['--store', ${JSON.stringify(`${folder.path}/studies.db`)}] });
    console.log(pid);
    setInterval(() => {}, 1_000);
  `;
  const parent = execa(process.execPath, ['--input-type=module', '--eval', program], {
    env: withoutSettings(),
    reject: false,
  });
  expect(await firstLine(parent.stdout)).toMatch(/^\d+$/);
  const processes = descendants(parent.pid ?? 0);
  expect(processes.map(({ command }) => /main\.ts|glocal-dmd/.exec(command)?.[0])).toEqual([
    'main.ts',
    'glocal-dmd',
  ]);
  parent.kill('SIGKILL');
  await parent;
  await expectGone(processes);
});
