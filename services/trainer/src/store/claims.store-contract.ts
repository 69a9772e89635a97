/** What every store must do with workers' claims and leases, as a vitest suite. */

import { OuterStep, RunMode, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { studyOf } from '../resource/names.ts';
import { StaleEpochError } from './errors.ts';
import type { Claim, ClaimRequest, StartedTrial, Store } from './store.ts';

const { PENDING, RUNNING, SUCCEEDED, PAUSED, FAILED } = TrialState;
const DONE = { state: SUCCEEDED, reason: 'all steps done' } as const;
const STOPPED = { why: 'the worker stopped', crashed: false } as const;
const namesOf = (trials: readonly Trial[]): string[] => trials.map(({ name }) => name);
/** Long enough for nothing to pass by itself. */
const LONG_MS = 600_000;

/** @param open makes an empty store. */
export function claimsContract(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    interface Made extends Partial<Study> {
      readonly trials?: number;
      /** Trials of it that run at a time. */
      readonly atATime?: number;
    }
    let studies = 0;
    const create = (id: string, { trials = 1, atATime = 0, ...more }: Made = {}) => {
      studies += 1;
      return store.createStudy({
        study: Study.fromPartial({
          ...{ name: `studies/${id}`, state: StudyState.ACTIVE },
          ...more,
          sampling: { maxRunningTrials: atATime },
        }),
        trials: Array.from({ length: trials }, (_, i) =>
          Trial.fromPartial({ name: `studies/${id}/trials/${i}`, state: PENDING }),
        ),
        requestId: `request ${studies}`,
        fingerprint: Buffer.from(id),
        maxActiveStudies: 10_000,
      });
    };

    /** What workers hold, by their names. */
    let held = new Map<string, StartedTrial[]>();
    beforeEach(() => {
      held = new Map();
    });
    const claim = async (
      worker = 'w',
      more: Partial<ClaimRequest> = {},
    ): Promise<StartedTrial | undefined> => {
      const mine = held.get(worker) ?? [];
      const started = await store.claimTrial({
        ...{ worker, leaseMs: LONG_MS, except: [] },
        holding: mine.map((each) => each.claim.trial),
        ...more,
      });
      if (started !== undefined) held.set(worker, [...mine, started]);
      return started;
    };
    const claimed = async (worker?: string, more?: Partial<ClaimRequest>) =>
      (await claim(worker, more))?.claim.trial.replace(/^studies\/|\/trials/g, '');
    /** One after the other, until there is nothing to claim. */
    const claimAll = async (more?: Partial<ClaimRequest>) => {
      const all: string[] = [];
      for (let next = await claimed('w', more); next !== undefined; next = await claimed('w', more))
        all.push(next);
      return all;
    };
    const stateOf = async (trial: string) =>
      (await store.getTrial(`studies/${trial.replace('/', '/trials/')}`))?.state;

    describe('claiming a trial', () => {
      it('makes it the worker’s, with all that there is to know', async () => {
        await create('a', { trials: 2 });
        const started = await claim();
        expect(started).toMatchObject({
          claim: { trial: 'studies/a/trials/0', epoch: 1 },
          checkpoint: 0,
          study: { name: 'studies/a' },
          trial: { state: RUNNING, attempts: 1 },
        });
        expect(await store.getTrial('studies/a/trials/0')).toEqual(started?.trial);
        expect(await claimed('other')).toBe('a/1');
        expect(await claim('other')).toBeUndefined();
      });

      it('tells of it with an event', async () => {
        await create('a');
        await claim();
        const { records } = await store.listEvents('studies/a', { limit: 9 });
        expect(records.map(({ sequence, event }) => [sequence, event.event?.$case])).toEqual([
          [1, 'study'],
          [2, 'trial'],
        ]);
      });

      it('passes over what clients train, what is paused, and what has ended', async () => {
        await create('paused');
        await store.pauseStudy('studies/paused');
        await create('cancelled');
        await store.cancelStudy('studies/cancelled');
        await create('external', { mode: RunMode.EXTERNAL });
        await create('ended');
        const started = await claim();
        if (started) await store.endTrial(started.claim, DONE);
        expect(await claim()).toBeUndefined();
        await store.resumeStudy({ name: 'studies/paused', points: [], maxActiveStudies: 9 });
        expect(await claimed()).toBe('paused/0');
      });

      it('gives what the worker does not know it has, when the answer was lost, and makes the earlier claim stale', async () => {
        await create('a', { trials: 2 });
        const lost = await claim();
        const again = await claim('w', { holding: [] });
        expect(again?.claim).toEqual({ trial: 'studies/a/trials/0', epoch: 2 });
        expect(again?.trial).toMatchObject({ state: RUNNING, attempts: 1 });
        await expect(store.endTrial((lost as StartedTrial).claim, DONE)).rejects.toThrow(StaleEpochError);
        held.set('w', [again as StartedTrial]);
        expect(await claimed()).toBe('a/1');
      });

      it('gives each trial once, however many workers ask at a time', async () => {
        await create('a', { trials: 8 });
        await create('b', { trials: 8, owner: 'bob' });
        const asked = await Promise.all(Array.from({ length: 24 }, (_, i) => claimed(`w${i}`)));
        let given = asked.filter((trial) => trial !== undefined);
        // Who asked at the same time as others may have got nothing.
        given = [...given, ...(await claimAll())];
        expect(new Set(given).size).toBe(16);
        expect(given).toHaveLength(16);
      });

      it('passes over what the worker cannot train', async () => {
        await create('a', { trials: 2 });
        await create('b');
        expect(await claimAll({ except: ['studies/a'] })).toEqual(['b/0']);
        expect(await claimed('other')).toBe('a/0');
      });
    });

    describe('whose turn it is', () => {
      it('goes by the age of studies, and the order of their trials', async () => {
        await create('a', { trials: 2, atATime: 1 });
        await create('b', { trials: 2, atATime: 1 });
        const first = await claim();
        expect(first?.claim.trial).toBe('studies/a/trials/0');
        if (first) await store.endTrial(first.claim, DONE);
        held.clear();
        expect(await claimed()).toBe('a/1');
        expect(await claimed()).toBe('b/0');
      });

      it('is the study’s that has fewer trials running', async () => {
        await create('a', { trials: 3 });
        await create('b', { trials: 2 });
        expect(await claimAll()).toEqual(['a/0', 'b/0', 'a/1', 'b/1', 'a/2']);
      });

      it('is the more urgent study’s before others of its owner', async () => {
        await create('a', { trials: 2, priority: -1 });
        await create('b', { trials: 2 });
        await create('c', { trials: 2, priority: 5 });
        expect(await claimAll()).toEqual(['c/0', 'c/1', 'b/0', 'b/1', 'a/0', 'a/1']);
      });

      it('is the owner’s who has fewer trials running, however many wait and however urgent', async () => {
        await create('a', { trials: 4, owner: 'ann', priority: 9 });
        await create('b', { trials: 2, owner: 'bob' });
        await create('c', { trials: 1, owner: 'cid' });
        expect(await claimAll()).toEqual(['a/0', 'b/0', 'c/0', 'a/1', 'b/1', 'a/2', 'a/3']);
      });

      it('goes round among owners where one trial runs at a time', async () => {
        for (const owner of ['ann', 'bob', 'cid']) await create(owner, { trials: 2, owner });
        const turns: string[] = [];
        for (let i = 0; i < 6; i++) {
          const started = (await claim()) as StartedTrial;
          turns.push(studyOf(started.claim.trial).slice('studies/'.length));
          await store.endTrial(started.claim, DONE);
          held.clear();
        }
        expect(turns).toEqual(['ann', 'bob', 'cid', 'ann', 'bob', 'cid']);
      });

      it('is that of a trial that was interrupted before others of its owner that are as urgent', async () => {
        await create('a', { trials: 2, atATime: 2 });
        await create('b', { trials: 3 });
        await claimAll();
        const [, , , , last] = held.get('w') as StartedTrial[];
        await create('c', { trials: 1 });
        await store.interruptTrial((last as StartedTrial).claim, STOPPED);
        expect([await claimed(), await claimed()]).toEqual(['b/2', 'c/0']);
      });
    });

    describe('limits', () => {
      it('let no more trials of a study run than it allows', async () => {
        await create('a', { trials: 3, atATime: 2 });
        expect(await claimAll()).toEqual(['a/0', 'a/1']);
        const [first] = held.get('w') as StartedTrial[];
        await store.endTrial((first as StartedTrial).claim, DONE);
        expect(await claimAll()).toEqual(['a/2']);
      });

      it('let no more trials of an owner run than the server allows', async () => {
        await create('a', { trials: 2, owner: 'ann' });
        await create('b', { trials: 2, owner: 'ann' });
        await create('c', { trials: 1, owner: 'bob' });
        expect(await claimAll({ maxOwnerRunningTrials: 2 })).toEqual(['a/0', 'c/0', 'b/0']);
      });

      it('hold whoever asks at the same time', async () => {
        await create('a', { trials: 9, owner: 'ann', atATime: 2 });
        await create('b', { trials: 9, owner: 'ann' });
        const workers = Array.from({ length: 12 }, (_, i) => claimed(`w${i}`, { maxOwnerRunningTrials: 5 }));
        const given = (await Promise.all(workers)).filter((trial) => trial !== undefined);
        given.push(...(await claimAll({ maxOwnerRunningTrials: 5 })));
        expect(given).toHaveLength(5);
        expect(given.filter((trial) => trial.startsWith('a/')).length).toBeLessThanOrEqual(2);
      });

      it('are free again for whatever makes a trial not run: an end, a pause, an interruption, a cancelled study', async () => {
        await create('a', { trials: 5, atATime: 1 });
        const next = async () => (await claim()) as StartedTrial;
        await store.endTrial((await next()).claim, DONE);
        await store.pauseTrial((await next()).claim, { why: 'no decision came', cause: 'decision' });
        await store.interruptTrial((await next()).claim, STOPPED);
        expect((await next()).claim.trial).toBe('studies/a/trials/2');
        expect(await claim()).toBeUndefined();
        await store.cancelStudy('studies/a');
        await create('b');
        expect(await claimAll({ maxOwnerRunningTrials: 1 })).toEqual(['b/0']);
      });
    });

    describe('a lease', () => {
      it('keeps what a worker trains while it is renewed, and tells what has become of it', async () => {
        await create('a', { trials: 2 });
        await create('b');
        const [first, second, third] = [await claim(), await claim(), await claim()].map(
          (started) => (started as StartedTrial).claim,
        );
        await store.pauseStudy('studies/b');
        await store.interruptTrial(third as never, STOPPED);
        const claims = [first, second, third].map((each) => each as { trial: string; epoch: number });
        expect(await store.renewLease({ worker: 'w', leaseMs: LONG_MS, claims })).toEqual([
          { trial: 'studies/a/trials/0', study: StudyState.ACTIVE },
          { trial: 'studies/b/trials/0', study: StudyState.PAUSED },
          { trial: 'studies/a/trials/1', study: undefined },
        ]);
        expect(await store.expireLeases()).toEqual([]);
      });

      it('that has passed interrupts what its worker trained, and nothing else; each late write is refused', async () => {
        await create('a', { trials: 3 });
        const late = (await claim('late', { leaseMs: 1 })) as StartedTrial;
        await claim('other');
        const interrupted = await vi.waitUntil(async () => {
          const lost = await store.expireLeases();
          return lost.length > 0 && lost;
        });
        expect(namesOf(interrupted)).toEqual(['studies/a/trials/0']);
        expect(await store.getTrial('studies/a/trials/0')).toMatchObject({
          state: PENDING,
          stateReason: expect.stringMatching(
            /^its worker late has not been heard of for \d+ s; it starts again$/,
          ),
          attempts: 1,
          ...{ crashes: 0, workerDeaths: 1 },
        });
        expect(await stateOf('a/1')).toBe(RUNNING);
        const again = await claim('other');
        expect(again?.claim).toEqual({ trial: 'studies/a/trials/0', epoch: 2 });
        const { claim: stale } = late;
        expect(await store.renewLease({ worker: 'late', leaseMs: LONG_MS, claims: [stale] })).toEqual([
          { trial: 'studies/a/trials/0', study: undefined },
        ]);
        const runtime = { backend: 'cpu', datasetSha256: '', stateReason: '' };
        const step = OuterStep.fromPartial({ name: 'studies/a/trials/0/outerSteps/1', index: 1, step: 50 });
        const writes = [
          () => store.endTrial(stale, DONE),
          () => store.interruptTrial(stale, STOPPED),
          () => store.pauseTrial(stale, { why: 'away', cause: 'dmd' }),
          () => store.describeRuntime(stale, runtime),
          () => store.addOuterStep(stale, step),
        ];
        for (const write of writes) await expect(write()).rejects.toThrow(StaleEpochError);
        expect(await stateOf('a/0')).toBe(RUNNING);
      });

      it('that has passed pauses a trial of a study that was paused', async () => {
        await create('a');
        await claim('late', { leaseMs: 1 });
        await store.pauseStudy('studies/a');
        await vi.waitUntil(async () => (await store.expireLeases()).length > 0);
        expect(await stateOf('a/0')).toBe(PAUSED);
      });

      it('that has passed with one worker after the other ends a trial, and the study with its last one', async () => {
        await create('a', { trials: 2 });
        await claim();
        const lose = async (maxWorkerDeaths: number) => {
          await claim('late', { leaseMs: 1 });
          held.delete('late');
          const [lost] = await vi.waitUntil(async () => {
            const trials = await store.expireLeases({ maxWorkerDeaths });
            return trials.length > 0 && trials;
          });
          return lost;
        };
        expect(await lose(3)).toMatchObject({ name: 'studies/a/trials/1', state: PENDING, workerDeaths: 1 });
        expect(await lose(3)).toMatchObject({ state: PENDING, workerDeaths: 2 });
        expect(await lose(3)).toMatchObject({
          ...{ state: FAILED, workerDeaths: 3, endTime: expect.any(Date) },
          stateReason: expect.stringMatching(/^its worker late .* worker number 3 .*--max-worker-deaths 3/),
        });
        expect(await claim('other')).toBeUndefined();
        // Of its study's trials one still trains; it is taken up again by a caller.
        expect((await store.getStudy('studies/a'))?.state).toBe(StudyState.ACTIVE);
        const points = [{ trial: 'studies/a/trials/1', checkpoint: 0 }];
        await store.resumeStudy({ name: 'studies/a', points, maxActiveStudies: 10 });
        expect(await store.getTrial('studies/a/trials/1')).toMatchObject({ state: PENDING, workerDeaths: 0 });
        const [mine] = held.get('w') as [StartedTrial];
        await store.endTrial(mine.claim, { state: FAILED, reason: 'no' });
        expect(await lose(1)).toMatchObject({ state: FAILED });
        expect((await store.getStudy('studies/a'))?.state).toBe(StudyState.FAILED);
      });

      it.each([
        ['hands the trial back', (claim) => store.interruptTrial(claim, STOPPED)],
        ['pauses it', (claim) => store.pauseTrial(claim, { why: 'away', cause: 'dmd' })],
        [
          'stores an outer step',
          (claim) =>
            store.addOuterStep(
              claim,
              OuterStep.fromPartial({ name: `${claim.trial}/outerSteps/1`, index: 1, step: 50 }),
            ),
        ],
      ] satisfies [string, (claim: Claim) => Promise<Trial>][])(
        'that has passed is not held against a trial any more once a worker %s',
        async (_, write) => {
          await create('a');
          await claim('late', { leaseMs: 1 });
          await vi.waitUntil(async () => (await store.expireLeases({ maxWorkerDeaths: 2 })).length > 0);
          expect(await write(((await claim('other')) as StartedTrial).claim)).toMatchObject({
            workerDeaths: 0,
          });
        },
      );

      it('that has passed is good again when it is renewed before anybody has looked', async () => {
        await create('a');
        const started = (await claim('late', { leaseMs: 0 })) as StartedTrial;
        await store.renewLease({ worker: 'late', leaseMs: LONG_MS, claims: [started.claim] });
        expect(await store.expireLeases()).toEqual([]);
      });

      it('does not matter to who has the store for itself: all that ran waits', async () => {
        await create('a', { trials: 2 });
        await create('paused');
        await claimAll();
        await store.pauseStudy('studies/paused');
        const all = ['studies/a/trials/0', 'studies/a/trials/1', 'studies/paused/trials/0'];
        expect(namesOf(await store.expireLeases({ everyone: true }))).toEqual(all);
        expect((await store.getTrial(all[0] as string))?.stateReason).toBe(
          'the server ended; it starts again',
        );
        expect(await stateOf('paused/0')).toBe(PAUSED);
        held.clear();
        expect(await claimAll()).toEqual(['a/0', 'a/1']);
      });
    });

    it('is fair, whatever there is and whatever happens: nobody waits for who has more running', async () => {
      const owners = ['ann', 'bob', 'cid'];
      const made = fc.record({
        owner: fc.constantFrom(...owners),
        trials: fc.integer({ min: 1, max: 5 }),
        priority: fc.integer({ min: -1, max: 1 }),
        atATime: fc.integer({ min: 0, max: 2 }),
      });
      const acts = fc.array(
        fc.oneof({ weight: 3, arbitrary: fc.constant('claim') }, fc.constantFrom('end', 'interrupt')),
        {
          maxLength: 25,
        },
      );
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(made, { minLength: 1, maxLength: 5 }),
          acts,
          fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
          async (some, does, most) => {
            runs += 1;
            held.clear();
            // What ran before is out of the way.
            for (const { name: old, state } of (await store.listStudies({ limit: 99 })).records)
              if (state === StudyState.ACTIVE) await store.cancelStudy(old);
            const all = some.map((each, i) => ({
              ...each,
              id: `p${runs}-${i}`,
              waiting: each.trials,
              again: 0,
              running: 0,
            }));
            for (const { id, ...each } of all) await create(id, each);
            const runningOf = (owner: string) =>
              all.filter((each) => each.owner === owner).reduce((sum, each) => sum + each.running, 0);
            const open = () =>
              all.filter(
                (each) =>
                  each.waiting > 0 &&
                  each.running < (each.atATime || 99) &&
                  runningOf(each.owner) < (most ?? 99),
              );
            const mine: StartedTrial[] = [];
            for (const act of does) {
              if (act !== 'claim') {
                const started = mine.shift();
                if (started === undefined) continue;
                held.set('w', [...mine]);
                const from = all.find(
                  ({ id }) => studyOf(started.claim.trial) === `studies/${id}`,
                ) as (typeof all)[number];
                from.running -= 1;
                if (act === 'end') await store.endTrial(started.claim, DONE);
                else {
                  await store.interruptTrial(started.claim, STOPPED);
                  from.waiting += 1;
                  from.again += 1;
                }
                continue;
              }
              const could = open();
              const started = await claim('w', { maxOwnerRunningTrials: most });
              expect(started === undefined).toBe(could.length === 0);
              if (started === undefined) continue;
              mine.push(started);
              const to = could.find(
                ({ id }) => studyOf(started.claim.trial) === `studies/${id}`,
              ) as (typeof all)[number];
              expect(to).toBeDefined();
              for (const other of could)
                expect(runningOf(to.owner)).toBeLessThanOrEqual(runningOf(other.owner));
              for (const other of could.filter(({ owner }) => owner === to.owner)) {
                const rank = ({ priority, again, running }: typeof to) => [
                  -priority,
                  again > 0 ? 0 : 1,
                  running,
                ];
                expect(compare(rank(to), rank(other))).toBeLessThanOrEqual(0);
              }
              to.waiting -= 1;
              if (to.again > 0) to.again -= 1;
              to.running += 1;
            }
          },
        ),
        { numRuns: 15 },
      );
    });
  });
}

/** As lists of numbers are ordered. */
function compare(one: readonly number[], other: readonly number[]): number {
  const i = one.findIndex((value, at) => value !== other[at]);
  return i < 0 ? 0 : (one[i] as number) - (other[i] as number);
}
