/** Trials that a client drives, with a real server and a plain gRPC client. */

import { join } from 'node:path';
import {
  Estimator,
  OuterSchedule,
  OuterStep,
  RunMode,
  Scale,
  Study,
  StudyState,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { StudyServiceService as Api } from '@glocal/proto/glocal/v1/study_service';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ACCEPT, type Choice, Driver, HOLD, setting, stopping } from '../support/driver.ts';
import { Channel } from '../support/grpc.ts';
import { processorTicks, trainingProcesses } from '../support/processes.ts';
import { refusal } from '../support/refusal.ts';
import { TestTrainer, temporaryFolder } from '../support/trainer.ts';

const OUTER_STEPS = 4;
const WINDOW = 8;

let trainer: TestTrainer;
let channel: Channel;
beforeAll(async () => {
  trainer = await TestTrainer.start();
  channel = new Channel(trainer.address);
});
afterAll(async () => {
  channel[Symbol.dispose]();
  await trainer[Symbol.asyncDispose]();
});

const float = (name: string, min: number, max: number, initial: number, scale: Scale) => ({
  name,
  kind: { $case: 'float' as const, value: { min, max, initial, scale } },
});

interface StudyOptions {
  readonly mode?: RunMode;
  readonly estimator?: Estimator;
  readonly decisionTimeoutMs?: number;
}

/** A few outer steps on a small network. */
function small({
  mode = RunMode.DRIVEN,
  estimator = Estimator.GLOCAL,
  decisionTimeoutMs,
}: StudyOptions = {}) {
  const timeout =
    decisionTimeoutMs === undefined ? undefined : { seconds: 0n, nanos: decisionTimeoutMs * 1e6 };
  const study = Study.fromPartial({
    space: {
      parameters: [
        float('lr', 1e-3, 1, 0.02, Scale.LOG),
        float('momentum', 0, 0.95, 0.1, Scale.LOGIT),
        float('classWeights', 0, 2, 1, Scale.LINEAR),
      ],
    },
    problem: {
      ...{ dataset: 'fashion-mnist-10k', model: 'mlp', optimizer: 'sgd' },
      ...{ batchSize: 16, validationExamples: 50 },
    },
    training: { steps: OUTER_STEPS * WINDOW, seeds: [1] },
    method: {
      estimator,
      window: WINDOW,
      sigma: 6,
      dmd: { delays: 2 },
      outer: { rate: 0.3, schedule: OuterSchedule.CONSTANT },
    },
    mode,
  });
  return { ...study, decisionTimeout: timeout };
}

/** Starts a study of one trial. */
async function create(options: StudyOptions = {}, to = channel) {
  const { name } = await to.unary(Api.createStudy, { study: small(options), requestId: '' });
  return { name, trial: `${name}/trials/0` };
}

/** All there is to the outer steps of a trial, but for names, times and who decided. */
async function trajectory(trial: string, from = channel) {
  const page = { parent: trial, pageSize: 0, pageToken: '', includeWindows: true };
  const { outerSteps } = await from.unary(Api.listOuterSteps, page);
  return outerSteps.map(({ name: _name, timing: _timing, report, update, ...rest }) => ({
    ...rest,
    report: report && { ...report, computeTime: undefined },
    update: update && { ...update, decision: undefined },
  }));
}

const withoutTime = (step: OuterStep | undefined) =>
  step && { ...step, timing: undefined, report: { ...step.report, computeTime: undefined } };

const getTrial = (name: string, from = channel) => from.unary(Api.getTrial, { name });

async function driveAll(trial: string, choice: Choice, address = trainer.address) {
  using driver = new Driver(address, trial);
  return await driver.drive(choice);
}

const decided = async (trial: string, index: number) =>
  (await channel.unary(Api.getOuterStep, { name: `${trial}/outerSteps/${index}` })).update?.decision?.action;

describe('a trial that is driven', () => {
  it('takes the path of a managed one when all is accepted, bit for bit', async () => {
    const managed = await create({ mode: RunMode.MANAGED });
    const driven = await create();
    const ended = await driveAll(driven.trial, () => ({ action: ACCEPT }));
    expect(ended).toMatchObject({ state: TrialState.SUCCEEDED, outerStepsDone: OUTER_STEPS });
    const reference = await getTrial(managed.trial);
    expect(reference).toMatchObject({ state: TrialState.SUCCEEDED });
    expect(await trajectory(driven.trial)).toEqual(await trajectory(managed.trial));
    expect([ended.test, ended.averagedTest]).toEqual([reference.test, reference.averagedTest]);
    expect(await decided(driven.trial, 2)).toEqual(ACCEPT);
  });

  it('moves, holds, changes its rate and ends as it is told', async () => {
    const { name, trial } = await create({ estimator: Estimator.MEAN });
    const actions: ReturnType<Choice>[] = [
      { action: setting({ lr: 0.5, classWeights: 0.25 }) },
      { action: HOLD, outerRate: 0.01 },
      { action: stopping('good enough') },
    ];
    const ended = await driveAll(trial, ({ index }) => actions[index - 1] ?? { action: ACCEPT });
    expect(ended).toMatchObject({
      state: TrialState.SUCCEEDED,
      stateReason: 'stopped by its driver after 24 inner steps: good enough',
      stepsDone: 3 * WINDOW,
      test: { examples: expect.any(Number) },
    });
    const [first, second, third] = await trajectory(trial);
    expect(first?.nextValues.slice(0, 3).map(({ value }) => value)).toEqual([
      expect.closeTo(0.5, 12),
      first?.values[1]?.value,
      0.25,
    ]);
    expect(first?.nextValues[2]?.values).toEqual(Array(10).fill(0.25));
    expect(second?.values).toEqual(first?.nextValues);
    expect(second?.nextValues).toEqual(second?.values);
    expect([first, second, third].map((step) => step?.update?.rate)).toEqual([0.3, 0.01, 0.01]);
    expect(third?.update?.reason).toBe('the driver stopped the trial: good enough');
    expect(await channel.unary(Api.getStudy, { name })).toMatchObject({
      stateReason: '1 of 1 trials succeeded',
    });
  });

  it('waits without computing, and says for what', async () => {
    const { name, trial } = await create();
    using driver = new Driver(trainer.address, trial, true);
    const { outerStep } = await driver.proposal();
    expect(outerStep?.window?.hypergradients).toHaveLength(6 * 12 * 8);
    const waiting = 'waiting for a decision about outer step 1';
    await vi.waitUntil(async () => (await getTrial(trial)).stateReason === waiting, 20_000);
    const [process] = trainingProcesses(trainer.pid);
    const ticksOfASecond = async () => {
      const before = processorTicks(process?.pid ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return processorTicks(process?.pid ?? 0) - before;
    };
    // Node may tidy up first.
    await expect.poll(ticksOfASecond, { timeout: 20_000 }).toBeLessThanOrEqual(2);
    await channel.unary(Api.cancelStudy, { name });
    expect(await driver.until('ended').catch((error: Error) => error.message)).toBeDefined();
  });

  it('shows a driver of FIXED figures without hypergradients', async () => {
    const { trial } = await create({ estimator: Estimator.FIXED });
    const proposals: OuterStep[] = [];
    await driveAll(trial, (outerStep) => {
      proposals.push(outerStep);
      return { action: outerStep.index === 1 ? setting({ lr: 0.1 }) : ACCEPT };
    });
    expect(proposals.every(({ window, validation }) => !window && validation !== undefined)).toBe(true);
    expect(proposals[1]?.values[0]?.value).toBeCloseTo(0.1, 12);
  });
});

describe('a trial that waits for its driver', () => {
  it('is PAUSED at the deadline, and goes on with the same window once it is driven again', async () => {
    const { name, trial } = await create({ estimator: Estimator.MEAN, decisionTimeoutMs: 900 });
    using driver = new Driver(trainer.address, trial);
    const before = await driver.proposal();
    const ended = await driver.next();
    expect(ended).toMatchObject({ $case: 'ended', value: { state: TrialState.PAUSED } });
    expect(ended.value).toMatchObject({
      stateReason: 'no decision about outer step 1 has come within 0.9 s; it starts again',
    });
    expect(await channel.unary(Api.getStudy, { name })).toMatchObject({ state: StudyState.PAUSED });
    using again = new Driver(trainer.address, trial);
    const { outerStep } = await again.proposal();
    expect(withoutTime(outerStep)).toEqual(withoutTime(before.outerStep));
    again.decide(1, { action: stopping('') });
    expect(await again.until('outerStep')).toMatchObject({ step: WINDOW });
    expect(await again.next()).toMatchObject({ $case: 'ended', value: { state: TrialState.SUCCEEDED } });
  });

  it('is paused by a caller, who drops what is proposed, and proposes it again when it is resumed', async () => {
    const { name, trial } = await create({ estimator: Estimator.MEAN });
    using driver = new Driver(trainer.address, trial);
    const before = await driver.proposal();
    await channel.unary(Api.pauseStudy, { name });
    expect(await driver.next()).toMatchObject({ $case: 'ended', value: { state: TrialState.PAUSED } });
    using meanwhile = new Driver(trainer.address, trial);
    await meanwhile.until('attached');
    expect(await meanwhile.next()).toMatchObject({ $case: 'ended', value: { state: TrialState.PAUSED } });
    await channel.unary(Api.resumeStudy, { name, trials: [] });
    using again = new Driver(trainer.address, trial);
    const { outerStep } = await again.proposal();
    expect(withoutTime(outerStep)).toEqual(withoutTime(before.outerStep));
    await channel.unary(Api.cancelStudy, { name });
    expect(await again.next()).toMatchObject({ $case: 'ended', value: { state: TrialState.CANCELLED } });
  });

  it('is taken over by who drives it later', async () => {
    const { name, trial } = await create({ estimator: Estimator.MEAN });
    using first = new Driver(trainer.address, trial);
    await first.proposal();
    const lost = refusal(first.next());
    using second = new Driver(trainer.address, trial);
    expect(await lost).toMatchObject({
      code: status.ABORTED,
      reason: 'TAKEN_OVER',
      message: `another client drives ${trial} now`,
    });
    expect((await second.proposal()).outerStep).toMatchObject({ index: 1 });
    await channel.unary(Api.cancelStudy, { name });
  });

  it('is left at once when the server stops, and its driver is told', async () => {
    await using other = await TestTrainer.start();
    using own = new Channel(other.address);
    const { trial } = await create({ estimator: Estimator.MEAN }, own);
    using driver = new Driver(other.address, trial);
    await driver.proposal();
    const told = refusal(driver.next());
    await other.server.stop();
    expect(await told).toMatchObject({ code: status.UNAVAILABLE, reason: 'SERVER_STOPPING' });
  });
});

describe('kill -9', () => {
  /** What is decided in all of these; whoever is asked about the second outer step again would say otherwise. */
  const choice: Choice = ({ index }) => ({ action: index === 2 ? setting({ lr: 0.3 }) : ACCEPT });
  const otherwise: Choice = () => ({ action: stopping('this must not count') });
  let expected: Awaited<ReturnType<typeof trajectory>>;
  beforeAll(async () => {
    const { trial } = await create();
    await driveAll(trial, choice);
    expected = await trajectory(trial);
  });

  /** Drives until the second outer step waits long enough to be told. */
  async function toSecond(driver: Driver, trial: string, from: Channel): Promise<OuterStep | undefined> {
    const first = await driver.proposal();
    driver.decide(1, choice(OuterStep.fromPartial({ index: first.outerStep?.index ?? 0 })));
    const { outerStep } = await driver.proposal();
    const waiting = 'waiting for a decision about outer step 2';
    await vi.waitUntil(async () => (await getTrial(trial, from)).stateReason === waiting, 20_000);
    return outerStep;
  }
  const killTraining = (of: TestTrainer) => {
    for (const { pid } of trainingProcesses(of.pid)) process.kill(pid, 'SIGKILL');
  };
  it('of the training process: what it proposes then is the same, and what was decided counts', async () => {
    const { trial } = await create();
    using driver = new Driver(trainer.address, trial);
    const before = await toSecond(driver, trial, channel);
    killTraining(trainer);
    const { outerStep: again } = await driver.proposal();
    expect(withoutTime(again)).toEqual(withoutTime(before));

    const waiting = 'waiting for a decision about outer step 2';
    await vi.waitUntil(async () => (await getTrial(trial)).stateReason === waiting, 20_000);
    // Decided, and dead before it can act.
    for (const { pid } of trainingProcesses(trainer.pid)) process.kill(pid, 'SIGSTOP');
    driver.decide(2, choice(OuterStep.fromPartial({ index: 2 })));
    await vi.waitUntil(async () => (await getTrial(trial)).stateReason === '', 20_000);
    killTraining(trainer);
    expect(await driver.until('outerStep')).toMatchObject({ index: 2 });
    expect(await driver.drive(choice)).toMatchObject({ state: TrialState.SUCCEEDED });
    expect(await trajectory(trial)).toEqual(expected);
  });

  it('of the server: the next one proposes the same, knows what was decided, and takes nothing else', async () => {
    await using folder = await temporaryFolder();
    const store = join(folder.path, 'studies.db');
    const start = async () => {
      const next = await TestTrainer.start({ store });
      return { next, own: new Channel(next.address) };
    };
    let { next: server, own } = await start();
    const { trial } = await create({}, own);
    try {
      const first = new Driver(server.address, trial);
      const before = await toSecond(first, trial, own);
      await server.kill();
      ({ next: server, own } = await start());
      using second = new Driver(server.address, trial);
      const { outerStep: again } = await second.proposal();
      expect(withoutTime(again)).toEqual(withoutTime(before));

      await vi.waitUntil(async () => (await getTrial(trial, own)).stateReason.startsWith('waiting'), 20_000);
      for (const { pid } of trainingProcesses(server.pid)) process.kill(pid, 'SIGSTOP');
      second.decide(2, choice(OuterStep.fromPartial({ index: 2 })));
      await vi.waitUntil(async () => (await getTrial(trial, own)).stateReason === '', 20_000);
      killTraining(server);
      await server.kill();
      ({ next: server, own } = await start());
      const third = new Driver(server.address, trial);
      third.decide(2, otherwise(OuterStep.create()));
      await expect(third.drive(otherwise)).rejects.toThrow(/outer step 2 has been decided otherwise/);
      expect(await driveAll(trial, choice, server.address)).toMatchObject({ state: TrialState.SUCCEEDED });
      expect(await trajectory(trial, own)).toEqual(expected);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
});
