import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Decision,
  Estimator,
  RunMode,
  type Study,
  StudyState,
  Trial,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ArtifactRoot } from '../artifact/folder.ts';
import { CheckpointRoot } from '../checkpoint/kept.ts';
import { DriveDesk } from '../drive/desk.ts';
import { EventHub } from '../events/hub.ts';
import { LocalNotices } from '../notices/notices.ts';
import { ObjectStoreError } from '../objects/errors.ts';
import { FolderObjects } from '../objects/folder.ts';
import type { ObjectStore } from '../objects/store.ts';
import { delayed } from '../store/delayed.ts';
import { StoreUnavailableError } from '../store/errors.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import type { StartedTrial, Store } from '../store/store.ts';
import { MemoryLimitError, TrainingProcess, TrainingProcessError } from './process.ts';
import { type SupervisorParts, superviseTrial } from './supervisor.ts';
import { smallStudy } from './testing.ts';

const NAME = 'studies/a/trials/0';
const OUTER_STEPS = 6;

let store: Store;
let stop: AbortController;
let leave: AbortController;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-supervisor-'));
  store = delayed(SqliteStore.inMemory(), 3, 10);
  desk = new DriveDesk({ store, hub, notices: new LocalNotices(), log });
  stop = new AbortController();
  leave = new AbortController();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A stored trial of six outer steps that was claimed. */
async function started(changes: Partial<Study> = {}): Promise<StartedTrial> {
  const complete = await smallStudy({ estimator: Estimator.LOCAL, window: 1 }, { validationExamples: 20 });
  await store.createStudy({
    study: { ...complete, ...changes, name: 'studies/a', state: StudyState.ACTIVE },
    trials: [Trial.fromPartial({ name: NAME, state: TrialState.PENDING })],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 1,
  });
  return store.startTrial(NAME);
}

const log = pino({ level: 'silent' });
const hub = new EventHub();
let desk: DriveDesk;
const supervise = (trial: StartedTrial, more: Partial<SupervisorParts> = {}) =>
  superviseTrial(
    {
      ...{ store, hub, log, desk, others: false },
      checkpoints: new CheckpointRoot(new FolderObjects(folder)),
      artifacts: new ArtifactRoot(join(folder, 'artifacts')),
      options: {
        dmd: { address: '127.0.0.1:1' },
        dmdRetryBudgetMs: 1,
        modelDir: undefined,
        problemDir: undefined,
        backend: undefined,
        version: '0.0.0',
        maxCheckpointBytes: 0,
      },
      limits: { memoryBytes: 0, silenceMs: 600_000 },
      ...more,
    },
    trial,
    { now: stop.signal, atBoundary: leave.signal },
  );

const kinds = async () =>
  (await store.listEvents('studies/a', { limit: 99 })).records.map(({ event }) => event.event?.$case);

describe('a supervised trial', () => {
  it('is stored step by step, and ends with its study', async () => {
    await supervise(await started());
    expect(await store.getTrial(NAME)).toMatchObject({
      state: TrialState.SUCCEEDED,
      outerStepsDone: OUTER_STEPS,
      test: { examples: expect.any(Number) },
    });
    expect(await store.getStudy('studies/a')).toMatchObject({ state: StudyState.COMPLETED });
    const steps = Array.from({ length: OUTER_STEPS }, () => 'outerStep');
    expect(await kinds()).toEqual(['study', 'trial', 'trial', ...steps, 'trial', 'study']);
  });

  it('that was cancelled leaves its process and the outcome behind, however far it is', async () => {
    const trial = await started();
    const supervised = supervise(trial);
    await vi.waitUntil(async () => ((await store.getTrial(NAME))?.outerStepsDone ?? 0) > 0, 50_000);
    await store.cancelStudy('studies/a');
    await supervised;
    expect(await store.getTrial(NAME)).toMatchObject({ state: TrialState.CANCELLED });
    expect((await kinds()).slice(-2)).toEqual(['study', 'trial']);
  });

  it('whose step cannot be stored for a reason of its own FAILS, and its process is gone', async () => {
    vi.spyOn(store, 'addOuterStep').mockRejectedValue(new Error('a bug'));
    const kill = vi.spyOn(TrainingProcess.prototype, 'kill');
    await supervise(await started());
    expect(await store.getTrial(NAME)).toMatchObject({ state: TrialState.FAILED, stateReason: 'a bug' });
    expect(kill).toHaveBeenCalled();
  });

  // Where the process has said that it ended before the server dies, there is nothing in between.
  const inBetween = { retry: 5 };
  it(
    'that its driver has stopped ends so when its server died in between, and asks nobody again',
    inBetween,
    async () => {
      const decisionTimeout = { seconds: 60n, nanos: 0 };
      const trial = await started({ mode: RunMode.DRIVEN, decisionTimeout });
      const asked: number[] = [];
      const drive = async (index: number) => {
        asked.push(index);
        const isLast = index === 3;
        const action: Decision['action'] = isLast
          ? { $case: 'stop', value: { reason: 'enough' } }
          : { $case: 'accept', value: {} };
        const decision = { outerStep: index, action, outerRate: undefined };
        await store.addDecision(NAME, decision);
        desk.decided(NAME, decision);
      };
      const look = async () => {
        const proposal = await desk.proposalOf(NAME);
        if (proposal !== undefined) await drive(proposal.outerStep.index);
      };
      using _feed = desk.follow(NAME, { news: () => void look(), seated: () => {} });
      const add = store.addOuterStep.bind(store);
      vi.spyOn(store, 'addOuterStep').mockImplementation((claim, outerStep) => {
        const storing = add(claim, outerStep);
        // At once: the process is about to say that it has ended.
        if (outerStep.index === 3) stop.abort('the server was killed');
        return storing;
      });
      await supervise(trial);
      expect(await store.getTrial(NAME)).toMatchObject({ state: TrialState.PENDING, outerStepsDone: 3 });
      stop = new AbortController();
      await supervise(await store.startTrial(NAME));
      expect(await store.getTrial(NAME)).toMatchObject({
        state: TrialState.SUCCEEDED,
        stateReason: 'stopped by its driver after 3 inner steps: enough',
        outerStepsDone: 3,
      });
      expect(asked).toEqual([1, 2, 3]);
    },
  );

  it('waits while the store cannot write, and goes on without a gap', async () => {
    const trial = await started();
    const write = store.addOuterStep.bind(store);
    const writes = vi.spyOn(store, 'addOuterStep').mockImplementationOnce(async () => {
      store.health.set('the disk is full');
      throw new StoreUnavailableError('the disk is full');
    });
    const supervised = supervise(trial);
    await vi.waitUntil(() => !store.health.writable, 50_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(writes).toHaveBeenCalledTimes(1);
    writes.mockImplementation(write);
    store.health.set(undefined);
    await supervised;
    expect(await store.getTrial(NAME)).toMatchObject({
      state: TrialState.SUCCEEDED,
      outerStepsDone: OUTER_STEPS,
    });
  });

  it('has study, trial and trace in the lines of the log about it, and in its span what became of it', async () => {
    vi.spyOn(TrainingProcess.prototype, 'run').mockRejectedValue(new TrainingProcessError('it died'));
    const span = {
      ...{ traceId: 'a trace', context: { traceparent: 'a span' } },
      ...{ set: vi.fn(), end: vi.fn() },
    };
    const tracing = { begin: () => span, close: async () => {} };
    const lines: string[] = [];
    const verbose = pino({}, { write: (line) => void lines.push(line) });
    await supervise(await started(), { tracing, log: verbose });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ study: 'studies/a', trial: NAME, traceId: 'a trace', reason: 'it died' }),
    ]);
    expect(span.set).toHaveBeenCalledWith({ 'glocal.outcome': 'PENDING' });
    expect(span.end).toHaveBeenCalledExactlyOnceWith('');
  });

  it('whose process dies waits to go on; at the third death at one outer step it FAILS', async () => {
    const run = vi.spyOn(TrainingProcess.prototype, 'run');
    run.mockImplementation(async () => {
      throw new TrainingProcessError('the training process ended with SIGSEGV');
    });
    await supervise(await started());
    expect(await store.getTrial(NAME)).toMatchObject({
      state: TrialState.PENDING,
      stateReason: 'the training process ended with SIGSEGV; it starts again',
    });
    await supervise(await store.startTrial(NAME));
    await supervise(await store.startTrial(NAME));
    expect(await store.getTrial(NAME)).toMatchObject({
      state: TrialState.FAILED,
      stateReason:
        'the training process ended with SIGSEGV, for the 3rd time at outer step 1; its checkpoints are kept',
    });
  });

  it('whose process takes too much memory FAILS at once', async () => {
    vi.spyOn(TrainingProcess.prototype, 'run').mockRejectedValue(new MemoryLimitError('2 MiB are too much'));
    await supervise(await started());
    expect(await store.getTrial(NAME)).toMatchObject({
      state: TrialState.FAILED,
      stateReason: '2 MiB are too much; its checkpoints are kept',
    });
  });

  it('goes on after its process was killed, and leaves no checkpoint when it has ended', async () => {
    const trial = await started();
    const write = store.addOuterStep.bind(store);
    vi.spyOn(store, 'addOuterStep').mockImplementation(async (claim, outerStep) => {
      if (outerStep.index === 3 && claim.epoch === 1) throw new TrainingProcessError('killed');
      return write(claim, outerStep);
    });
    await supervise(trial);
    expect(await store.getTrial(NAME)).toMatchObject({ state: TrialState.PENDING });
    expect(existsSync(join(folder, 'a', '0', '2.1.ckpt'))).toBe(true);
    await supervise(await store.startTrial(NAME));
    expect(await store.getTrial(NAME)).toMatchObject({
      state: TrialState.SUCCEEDED,
      outerStepsDone: OUTER_STEPS,
      attempts: 2,
    });
    expect(existsSync(folder)).toBe(false);
  });

  it('keeps its checkpoints in the database that the store is, and waits with them while that is away', async () => {
    const objects = new FolderObjects(folder);
    let asked = 0;
    const database = Object.assign(Object.create(objects), {
      location: { kind: 'database', prefix: '' },
      put: (key: string, bytes: Uint8Array) => {
        asked += 1;
        if (asked === 2) throw new ObjectStoreError('away', 'not now');
        return objects.put(key, bytes);
      },
      list: (prefix: string) => objects.list(prefix),
      get: (key: string) => objects.get(key),
      remove: (key: string) => objects.remove(key),
      removeAll: (prefix: string) => objects.removeAll(prefix),
      discardIncomplete: (prefix: string) => objects.discardIncomplete(prefix),
    }) as ObjectStore;
    const put: number[] = [];
    const write = store.addOuterStep.bind(store);
    vi.spyOn(store, 'addOuterStep').mockImplementation(async (claim, outerStep) => {
      if (existsSync(join(folder, 'a', '0', `${outerStep.index}.1.ckpt`))) put.push(outerStep.index);
      return write(claim, outerStep);
    });
    await supervise(await started(), { checkpoints: new CheckpointRoot(database) });
    expect(await store.getTrial(NAME)).toMatchObject({ state: TrialState.SUCCEEDED });
    expect(put).toEqual([1, 2, 3, 4, 5, 6]);
    expect(asked).toBe(OUTER_STEPS + 1);
  });

  it('that was stopped before it began waits for that reason, without a process', async () => {
    const run = vi.spyOn(TrainingProcess.prototype, 'run');
    stop.abort('the server stopped');
    await supervise(await started());
    expect(await store.getTrial(NAME)).toMatchObject({
      state: TrialState.PENDING,
      stateReason: 'the server stopped; it starts again',
    });
    expect(run).not.toHaveBeenCalled();
  });

  it.each([
    ['before it began', 0],
    ['while it trains', 2],
  ])('that is to be left, told %s, stores its window and waits, for that reason', async (_, outerSteps) => {
    const trial = await started();
    if (outerSteps === 0) leave.abort('the server stopped');
    const write = store.addOuterStep.bind(store);
    vi.spyOn(store, 'addOuterStep').mockImplementation(async (claim, outerStep) => {
      if (outerStep.index === outerSteps) leave.abort('the server stopped');
      return write(claim, outerStep);
    });
    await supervise(trial);
    const { state, outerStepsDone = 0, stateReason } = (await store.getTrial(NAME)) ?? {};
    expect(state).toBe(TrialState.PENDING);
    // It may be some windows ahead of what is stored.
    expect(outerStepsDone).toBeGreaterThanOrEqual(outerSteps);
    expect(outerStepsDone).toBeLessThan(OUTER_STEPS);
    expect(stateReason).toMatch(/^the server stopped; it (starts again|goes on after outer step \d)$/);
    if (outerSteps > 0) expect(existsSync(join(folder, 'a', '0', `${outerStepsDone}.1.ckpt`))).toBe(true);
  });

  it('whose process is ended together with the server has not crashed', async () => {
    vi.spyOn(TrainingProcess.prototype, 'run').mockImplementation(async () => {
      leave.abort('the server stopped');
      throw new TrainingProcessError('the training process ended with SIGTERM');
    });
    await supervise(await started());
    expect(await store.getTrial(NAME)).toMatchObject({
      state: TrialState.PENDING,
      stateReason: 'the server stopped; it starts again',
      crashes: 0,
    });
  });

  it('that has to wait for something is PAUSED for it', async () => {
    vi.spyOn(TrainingProcess.prototype, 'run').mockResolvedValue({
      type: 'ended',
      outcome: 'paused',
      reason: 'the DMD service does not answer',
      cause: 'dmd',
      test: new Uint8Array(),
      averagedTest: new Uint8Array(),
    });
    await supervise(await started());
    expect(await store.getTrial(NAME)).toMatchObject({
      state: TrialState.PAUSED,
      stateReason: 'the DMD service does not answer; it starts again',
    });
    expect(await store.listPausedTrials('dmd')).toEqual([NAME]);
  });
});
