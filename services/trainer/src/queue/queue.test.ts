import { type Sampling, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventHub } from '../events/hub.ts';
import type { Notice } from '../notices/notice.ts';
import { LocalNotices, type Notices } from '../notices/notices.ts';
import { JoinedNotices } from '../notices/testing.ts';
import { NotFoundError } from '../resource/errors.ts';
import { delayed } from '../store/delayed.ts';
import { StoreUnavailableError } from '../store/errors.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import type { ResumeRequest, StartedTrial, Store } from '../store/store.ts';
import type { StopSignals } from '../worker/attempt.ts';
import { takeUpLost } from './lost-trials.ts';
import { TrialQueue } from './queue.ts';
import { TrialWorker } from './worker.ts';

const SUCCEEDED = { state: TrialState.SUCCEEDED, reason: 'done' } as const;

/** Trials that train until they are told to end. */
class Trainings {
  readonly begun: string[] = [];
  /** Whether the next that ends was interrupted. */
  interruptNext = false;
  boundaryMs = 5;
  readonly #ends = new Map<string, () => void>();
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  readonly train = async ({ claim }: StartedTrial, { now, atBoundary }: StopSignals) => {
    this.begun.push(claim.trial);
    const stop = AbortSignal.any([now, atBoundary]);
    await new Promise<void>((resolve) => {
      this.#ends.set(claim.trial, resolve);
      now.addEventListener('abort', () => resolve());
      // A boundary comes after a while.
      atBoundary.addEventListener('abort', () => setTimeout(resolve, this.boundaryMs));
      if (stop.aborted) resolve();
    });
    const interruption = { why: String(stop.reason), crashed: false };
    const isInterrupted = stop.aborted || this.interruptNext;
    this.interruptNext = false;
    const write = isInterrupted
      ? this.#store.interruptTrial(claim, interruption)
      : this.#store.endTrial(claim, SUCCEEDED);
    await write.catch(() => {});
    return undefined;
  };

  async end(trial: string): Promise<void> {
    await vi.waitUntil(() => this.#ends.has(trial));
    this.#ends.get(trial)?.();
  }
}

describe.each([
  ['a store', (store: Store) => store],
  ['a store that takes its time', (store: Store) => delayed(store, 7, 10)],
])('with %s', (_, wrap) => {
  let store: Store;
  let trainings: Trainings;
  let queue: ReturnType<typeof queueOf>;
  let dropped: string[];
  let notices: Notices;

  beforeEach(() => {
    store = wrap(SqliteStore.inMemory());
    trainings = new Trainings(store);
    dropped = [];
    notices = new LocalNotices();
    queue = queueOf(1);
  });
  afterEach(async () => {
    await queue.stop();
    await store.close();
  });

  /** A queue with a worker. */
  function queueOf(maxRunningTrials: number, name = 'w') {
    const shared = { store, hub: new EventHub(notices), notices };
    const log = pino({ level: 'silent' });
    const train = trainings.train;
    const worker = new TrialWorker({ ...shared, log, name, leaseMs: 60_000, maxRunningTrials, train });
    const queue = new TrialQueue({ ...shared, worker, dropped: async (trial) => void dropped.push(trial) });
    return {
      recover: () => takeUpLost({ ...shared, log }, { everyone: true }),
      start: () => worker.start(),
      stop: (graceMs?: number) => worker.stop(graceMs),
      submit: (trials: readonly string[]) => queue.submit(trials),
      cancel: (study: string) => queue.cancel(study),
      pause: (study: string) => queue.pause(study),
      resume: (request: ResumeRequest) => queue.resume(request),
      resumeTrial: (...args: Parameters<TrialQueue['resumeTrial']>) => queue.resumeTrial(...args),
    };
  }

  /** A stored study with so many trials that wait; their names. */
  async function stored(id: string, trials: number, sampling: Partial<Sampling> = {}): Promise<string[]> {
    const names = Array.from({ length: trials }, (_, i) => `studies/${id}/trials/${i}`);
    await store.createStudy({
      study: Study.fromPartial({ name: `studies/${id}`, state: StudyState.ACTIVE, sampling }),
      trials: names.map((name) => Trial.fromPartial({ name, state: TrialState.PENDING, stepsDone: 7 })),
      requestId: '',
      fingerprint: Buffer.of(1),
      maxActiveStudies: 100,
    });
    return names;
  }

  async function states(id: string) {
    const study = await store.getStudy(`studies/${id}`);
    const { records } = await store.listTrials(`studies/${id}`);
    return { study: study?.state, trials: records.map(({ state }) => state) };
  }

  const { PENDING, SUCCEEDED: DONE, CANCELLED, PAUSED } = TrialState;

  describe('a queue that takes up what an earlier server left', () => {
    it('lets the trials that ran wait to go on, and keeps what they had done', async () => {
      const [name = ''] = await stored('a', 1);
      await store.startTrial(name);
      await queue.recover();
      expect(await store.getTrial(name)).toMatchObject({
        state: PENDING,
        stateReason: 'the server ended; it starts again',
        stepsDone: 7,
      });
      queue.start();
      await trainings.end(name);
      await vi.waitUntil(async () => (await states('a')).study === StudyState.COMPLETED);
    });

    it('lets trials that waited wait again, and trains them once it is started', async () => {
      const [first = '', second = ''] = await stored('a', 2);
      await queue.recover();
      expect(await states('a')).toEqual({ study: StudyState.ACTIVE, trials: [PENDING, PENDING] });
      queue.start();
      await trainings.end(first);
      await trainings.end(second);
      await vi.waitUntil(async () => (await states('a')).study === StudyState.COMPLETED);
    });

    it('leaves ended studies alone', async () => {
      const [name = ''] = await stored('a', 1);
      const { claim } = await store.startTrial(name);
      await store.endTrial(claim, SUCCEEDED);
      await queue.recover();
      expect((await store.listEvents('studies/a', { limit: 10 })).records).toHaveLength(4);
    });
  });

  describe('a queue', () => {
    it('trains as many trials at a time as it may, first come, first served', async () => {
      queue = queueOf(2);
      const names = await stored('a', 3);
      queue.submit(names);
      queue.start();
      await vi.waitUntil(() => trainings.begun.length === 2);
      // The store may answer the second of two calls first.
      expect(trainings.begun.toSorted()).toEqual(names.slice(0, 2));
      await trainings.end(names[1] ?? '');
      await vi.waitUntil(() => trainings.begun.length === 3);
      expect(trainings.begun.at(-1)).toBe(names[2]);
    });

    it('runs no more trials of a study at a time than it allows, and others meanwhile', async () => {
      queue = queueOf(3);
      const names = await stored('a', 3, { maxRunningTrials: 1 });
      const [other = ''] = await stored('b', 1);
      queue.submit([...names, other]);
      queue.start();
      await vi.waitUntil(() => trainings.begun.length === 2);
      expect(trainings.begun.toSorted()).toEqual([names[0], other]);
      await trainings.end(names[0] ?? '');
      await vi.waitUntil(() => trainings.begun.length === 3);
      expect(trainings.begun.at(-1)).toBe(names[1]);
    });

    it('trains nothing that was cancelled while it waited', async () => {
      const [first = ''] = await stored('a', 1);
      const waiting = await stored('b', 2);
      queue.start();
      queue.submit([first, ...waiting]);
      await store.cancelStudy('studies/b');
      await trainings.end(first);
      const after = await stored('c', 1);
      queue.submit(after);
      await vi.waitUntil(() => trainings.begun.includes(after[0] ?? ''));
      expect(trainings.begun).toEqual([first, ...after]);
    });

    it('takes up a trial that was interrupted before those that wait', async () => {
      const names = await stored('a', 2);
      queue.submit(names);
      queue.start();
      trainings.interruptNext = true;
      await trainings.end(names[0] ?? '');
      await vi.waitUntil(() => trainings.begun.length === 2);
      expect(trainings.begun).toEqual([names[0], names[0]]);
    });

    it('stops with all of its trials waiting', async () => {
      const names = await stored('a', 2);
      queue.submit(names);
      queue.start();
      await vi.waitUntil(() => trainings.begun.length === 1);
      await queue.stop();
      expect(await states('a')).toEqual({ study: StudyState.ACTIVE, trials: [PENDING, PENDING] });
      expect((await store.getTrial(names[0] ?? ''))?.stateReason).toBe('the server stopped; it starts again');
    });
  });

  describe('cancelling a study', () => {
    it('ends its trials, each with an event, and trains the next study', async () => {
      const names = await stored('a', 3);
      const next = await stored('b', 1);
      queue.submit([...names, ...next]);
      queue.start();
      await trainings.end(names[0] ?? '');
      await vi.waitUntil(() => trainings.begun.length === 2);
      const cancelled = await queue.cancel('studies/a');
      expect(cancelled).toMatchObject({ state: StudyState.CANCELLED, stateReason: 'cancelled by a caller' });
      expect(await states('a')).toMatchObject({ trials: [DONE, CANCELLED, CANCELLED] });
      await vi.waitUntil(() => trainings.begun.includes(next[0] ?? ''));
      expect(trainings.begun).not.toContain(names[2]);
      expect(dropped).toEqual([names[2]]);
    });

    it('gives an ended study as it is, and says that there is none', async () => {
      const [name = ''] = await stored('a', 1);
      const { claim } = await store.startTrial(name);
      const { study } = await store.endTrial(claim, SUCCEEDED);
      expect(await queue.cancel('studies/a')).toEqual(study);
      await expect(queue.cancel('studies/none')).rejects.toThrow(NotFoundError);
    });

    it('ends it at whatever moment that happens, and leaves nothing that trains', async () => {
      queue = queueOf(2);
      queue.start();
      for (let round = 0; round < 8; round++) {
        const names = await stored(`r${round}`, 3);
        queue.submit(names);
        await new Promise((resolve) => setTimeout(resolve, round * 4));
        await queue.cancel(`studies/r${round}`);
        expect(await states(`r${round}`)).toEqual({
          study: StudyState.CANCELLED,
          trials: [CANCELLED, CANCELLED, CANCELLED],
        });
      }
    });
  });

  describe('pausing a study', () => {
    it('lets what runs leave at its boundary, begins nothing of it, and trains the next study', async () => {
      const names = await stored('a', 2);
      const next = await stored('b', 1);
      queue.submit([...names, ...next]);
      queue.start();
      await vi.waitUntil(() => trainings.begun.length === 1);
      expect(await queue.pause('studies/a')).toMatchObject({ state: StudyState.PAUSED });
      await vi.waitUntil(() => trainings.begun.length === 2);
      expect(trainings.begun).toEqual([names[0], ...next]);
      expect(await states('a')).toEqual({ study: StudyState.PAUSED, trials: [PAUSED, PAUSED] });
      expect((await store.getTrial(names[0] ?? ''))?.stateReason).toBe('paused by a caller; it starts again');
    });

    it('ends when it is resumed, also before the boundary', async () => {
      const names = await stored('a', 1);
      queue.submit(names);
      queue.start();
      await vi.waitUntil(() => trainings.begun.length === 1);
      trainings.boundaryMs = 50;
      await queue.pause('studies/a');
      await queue.resume({ name: 'studies/a', points: [], maxActiveStudies: 9 });
      await vi.waitUntil(() => trainings.begun.length === 2);
      await queue.pause('studies/a');
      await vi.waitUntil(async () => (await states('a')).trials[0] === PAUSED);
      await queue.resume({ name: 'studies/a', points: [], maxActiveStudies: 9 });
      await vi.waitUntil(() => trainings.begun.length === 3);
      await vi.waitUntil(async () => (await store.getTrial(names[0] ?? ''))?.attempts === 3);
    });

    it('is not undone by a server that takes up what an earlier one left', async () => {
      const [name = ''] = await stored('a', 2);
      await store.startTrial(name);
      await store.pauseStudy('studies/a');
      await queue.recover();
      queue.start();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(trainings.begun).toEqual([]);
      expect(await states('a')).toEqual({ study: StudyState.PAUSED, trials: [PAUSED, PAUSED] });
    });
  });

  describe('a trial that is PAUSED for something', () => {
    it('goes on when that has come, and not for anything else', async () => {
      const [name = ''] = await stored('a', 1);
      const { claim } = await store.startTrial(name);
      await store.pauseTrial(claim, { why: 'the DMD service is away', cause: 'dmd' });
      queue.start();
      expect(await queue.resumeTrial(name, 'decision', 'caller')).toBe(false);
      expect(await queue.resumeTrial(name, 'dmd', 'server')).toBe(true);
      await vi.waitUntil(() => trainings.begun.length === 1);
    });
  });

  describe('a queue whose store others share', () => {
    let elsewhere: Notices;
    beforeEach(() => {
      [notices, elsewhere] = JoinedNotices.pair();
      queue = queueOf(1);
    });

    it('tells of what waits, and what is to stop', async () => {
      const told: unknown[] = [];
      elsewhere.subscribe((notice) => told.push(notice));
      queue.submit(await stored('a', 2));
      await queue.pause('studies/a');
      await queue.cancel('studies/a');
      const halted = [
        { kind: 'changed', study: 'studies/a' },
        { kind: 'halted', study: 'studies/a' },
      ];
      expect(told).toEqual([{ kind: 'work', study: 'studies/a' }, ...halted, ...halted]);
    });

    it('trains what waits by the word of another', async () => {
      queue.start();
      const [name = ''] = await stored('a', 1);
      elsewhere.publish({ kind: 'work', study: 'studies/a' });
      await trainings.end(name);
      await vi.waitUntil(async () => (await states('a')).study === StudyState.COMPLETED);
    });

    it.each<Notice>([{ kind: 'halted', study: 'studies/a' }, { kind: 'everything' }])(
      'stops what another has paused or cancelled, by $kind',
      async (notice) => {
        queue.start();
        queue.submit(await stored('a', 2));
        await vi.waitUntil(() => trainings.begun.length === 1);
        elsewhere.publish(notice);
        await store.pauseStudy('studies/a');
        elsewhere.publish(notice);
        await vi.waitUntil(async () => (await states('a')).trials[0] === PAUSED);
        await queue.resume({ name: 'studies/a', points: [], maxActiveStudies: 9 });
        await vi.waitUntil(() => trainings.begun.length === 2);
        await store.cancelStudy('studies/a');
        elsewhere.publish(notice);
        const after = await stored('b', 1);
        queue.submit(after);
        await vi.waitUntil(() => trainings.begun.includes(after[0] ?? ''));
        expect((await states('a')).trials).toEqual([CANCELLED, CANCELLED]);
      },
    );
  });

  describe('a queue that stops with patience', () => {
    it('waits for boundaries', async () => {
      queue.submit(await stored('a', 1));
      queue.start();
      await vi.waitUntil(() => trainings.begun.length === 1);
      await queue.stop(60_000);
      expect(await states('a')).toMatchObject({ trials: [PENDING] });
    });

    it('waits no longer than it may', async () => {
      trainings.boundaryMs = 60_000;
      queue.submit(await stored('a', 1));
      queue.start();
      await vi.waitUntil(() => trainings.begun.length === 1);
      await queue.stop(10);
      expect(await states('a')).toMatchObject({ trials: [PENDING] });
    });
  });

  describe('a store that cannot write', () => {
    it('may have done what it did not acknowledge: trials that nobody trains are taken up', async () => {
      const [claimed = '', waiting = ''] = await stored('a', 2);
      await store.claimTrial({ worker: 'w', leaseMs: 60_000, holding: [], except: [] });
      queue.start();
      store.health.set('the thread has ended');
      store.health.set(undefined);
      await trainings.end(claimed);
      await trainings.end(waiting);
      await vi.waitUntil(async () => (await states('a')).study === StudyState.COMPLETED);
      expect(await store.getTrial(claimed)).toMatchObject({ attempts: 1 });
    });

    it('stops the queue, which goes on when it can again', async () => {
      const names = await stored('a', 2);
      store.health.set('the disk is full');
      queue.start();
      queue.submit(names);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await states('a')).toMatchObject({ trials: [PENDING, PENDING] });
      store.health.set(undefined);
      await trainings.end(names[0] ?? '');
      await trainings.end(names[1] ?? '');
      await vi.waitUntil(async () => (await states('a')).study === StudyState.COMPLETED);
    });

    it('at the start of a trial leaves it the next in the queue', async () => {
      const [name = ''] = await stored('a', 1);
      let refused = false;
      const claims = store.claimTrial.bind(store);
      vi.spyOn(store, 'claimTrial').mockImplementation(async (request) => {
        if (refused) return claims(request);
        refused = true;
        store.health.set('the disk is full');
        throw new StoreUnavailableError('the disk is full');
      });
      queue.start();
      queue.submit([name]);
      await vi.waitUntil(() => refused);
      expect((await states('a')).trials).toEqual([PENDING]);
      store.health.set(undefined);
      await trainings.end(name);
      await vi.waitUntil(async () => (await states('a')).study === StudyState.COMPLETED);
    });
  });
});
