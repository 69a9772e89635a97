/** What durability and company cost a trial of LeNet: checkpoints, resuming, a driver, a thousand watchers. */

import { Estimator, RunMode, Scale, Study } from '@glocal/proto/glocal/v1/study';
import { StudyServiceService as Api, type StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import { milliseconds } from '@glocal/trainer/testing';
import { ACCEPT, Driver } from '../../support/driver.ts';
import { Channel } from '../../support/grpc.ts';
import { trainingProcesses } from '../../support/processes.ts';
import type { Row } from '../row.ts';
import { median } from '../statistics.ts';
import { inProcesses } from './clients.ts';
import { benchServer } from './server.ts';

const WINDOW = 50;
/** Measured windows of each trial; one more comes before them, in which the backend warms up. */
const WINDOWS = 4;
const ROUNDS = 4;
const KILLS = 3;
const WATCHERS = 1_000;
const WATCHING_PROCESSES = 4;

export async function trialRows(): Promise<Row[]> {
  await using server = await benchServer();
  using channel = new Channel(server.address);
  const times: Record<'managed' | 'driven' | 'watched', number[]> = { managed: [], driven: [], watched: [] };
  const checkpoints: number[] = [];
  const decisions: number[] = [];
  // In turns, so that a busy machine slows all of them.
  for (let round = 0; round < ROUNDS; round++) {
    const managed = await windowsOf(channel, await create(channel, RunMode.MANAGED));
    times.managed.push(...managed.map(({ ms }) => ms));
    checkpoints.push(...managed.map(({ ms, checkpoint }) => checkpoint / ms));
    const driven = await create(channel, RunMode.DRIVEN);
    using driver = new Driver(server.address, `${driven}/trials/0`);
    const [windows] = await Promise.all([
      windowsOf(channel, driven),
      driver.drive(() => ({ action: ACCEPT })),
    ]);
    times.driven.push(...windows.map(({ ms }) => ms));
    decisions.push(...windows.map(({ ms, decision }) => decision / ms));
    times.watched.push(...(await watched(server.address, channel)));
  }
  const over = (of: readonly number[]) => median(of) / median(times.managed);
  return [
    { name: 'service.checkpoint_share', value: median(checkpoints), unit: 'share', n: checkpoints.length },
    // All that a driver adds lies between the proposal and its decision, which is timed; whole windows differ by more.
    { name: 'service.drive_overhead', value: median(decisions), unit: 'share', n: decisions.length },
    {
      name: 'service.drive_slowdown',
      value: over(times.driven),
      unit: 'ratio',
      n: times.driven.length,
    },
    {
      name: 'service.training_slowdown_1000_watchers',
      value: over(times.watched),
      unit: 'ratio',
      n: times.watched.length,
    },
    await resumeRow(server.pid, channel),
  ];
}

async function create(channel: Channel, mode: RunMode, windows = WINDOWS + 1): Promise<string> {
  const float = (name: string, min: number, initial: number) => ({
    name,
    kind: { $case: 'float' as const, value: { min, max: 1, initial, scale: Scale.LOG } },
  });
  const study = Study.fromPartial({
    displayName: 'benchmark',
    mode,
    space: {
      parameters: [float('lr', 1e-4, 0.05), float('momentum', 1e-3, 0.1), float('weightDecay', 1e-6, 1e-3)],
    },
    problem: { dataset: 'fashion-mnist-10k', model: 'lenet', optimizer: 'sgd', validationExamples: 1_000 },
    training: { steps: windows * WINDOW },
    method: { estimator: Estimator.GLOCAL, window: WINDOW },
  });
  return (await channel.unary(Api.createStudy, { study, requestId: '' })).name;
}

interface WindowTime {
  /** From one outer step to the next, as the server stored them. */
  readonly ms: number;
  /** Part of it that writing the checkpoint took, in milliseconds. */
  readonly checkpoint: number;
  /** Part of it in which it waited for the driver's decision, and for that to be stored. */
  readonly decision: number;
}

/** The windows of a trial but for the first, once it has ended. */
async function windowsOf(channel: Channel, name: string): Promise<WindowTime[]> {
  const stored: StudyEvent[] = [];
  for await (const event of channel.open(Api.watchStudy, { name, cursor: '', maxLag: 0 })) {
    if (event.event?.$case === 'outerStep') stored.push(event);
  }
  return stored.slice(1).map(({ time, event }, i) => {
    const { checkpoint, decision } = (event?.$case === 'outerStep' && event.value.timing) || {};
    return {
      ms: (time?.getTime() ?? Number.NaN) - (stored[i]?.time?.getTime() ?? Number.NaN),
      checkpoint: checkpoint ? milliseconds(checkpoint) : 0,
      decision: decision ? milliseconds(decision) : 0,
    };
  });
}

/** Milliseconds of the windows of a trial that a thousand clients watch. */
async function watched(address: string, channel: Channel): Promise<number[]> {
  const name = await create(channel, RunMode.MANAGED);
  const watchers = WATCHERS / WATCHING_PROCESSES;
  const jobs = Array.from({ length: WATCHING_PROCESSES }, () => ({
    kind: 'watch' as const,
    address,
    name,
    watchers,
  }));
  const [windows] = await Promise.all([windowsOf(channel, name), inProcesses(jobs)]);
  return windows.map(({ ms }) => ms);
}

/** From `kill -9` of a training process to the next inner step. */
async function resumeRow(server: number, channel: Channel): Promise<Row> {
  const name = await create(channel, RunMode.MANAGED, 1_000);
  const times: number[] = [];
  let killed: number | undefined;
  let attempts = 1;
  for await (const { event } of channel.open(Api.watchStudy, { name, cursor: '', maxLag: 0 })) {
    if (event?.$case === 'trial') attempts = event.value.attempts;
    if (killed === undefined && event?.$case === 'outerStep') {
      killed = performance.now();
      for (const { pid } of trainingProcesses(server)) process.kill(pid, 'SIGKILL');
    }
    if (killed !== undefined && event?.$case === 'progress' && attempts === times.length + 2) {
      times.push(performance.now() - killed);
      killed = undefined;
    }
    if (times.length === KILLS) break;
  }
  await channel.unary(Api.cancelStudy, { name });
  return { name: 'service.resume_ms', value: median(times), unit: 'ms', n: times.length };
}
