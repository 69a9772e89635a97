/** What every store must do when studies and trials are paused, resumed and deleted, as a vitest suite. */

import { OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkHistory } from '../lifecycle/history.ts';
import { NotFoundError, StateError } from '../resource/errors.ts';
import { studyStateName, trialStateName } from '../resource/states.ts';
import { ActiveStudiesError, StudiesError } from './errors.ts';
import type { Claim, Store, StudyPage } from './store.ts';

const NAME = 'studies/a';
const trialName = (number: number, id = 'a') => `studies/${id}/trials/${number}`;
const outerStep = (index: number) =>
  OuterStep.fromPartial({ name: `${trialName(0)}/outerSteps/${index}`, index, step: index * 50 });
const { PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED, PAUSED } = TrialState;
const DONE = { state: SUCCEEDED, reason: 'all steps done' } as const;
const BROKEN = { state: FAILED, reason: 'no memory' } as const;
const STOPPED = { why: 'the server stopped', crashed: false } as const;
const NO_DECISION = { why: 'no decision came', cause: 'decision' } as const;

/** @param open makes an empty store. */
export function lifecycleContract(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(async () => {
      for (const { name: each } of (await store.listStudies({ limit: 99 })).records) {
        expect(await problems(each), `the history of ${each}`).toEqual([]);
      }
      await store.close();
    });

    async function problems(study: string): Promise<string[]> {
      const events = (await store.listEvents(study, { limit: 999 })).records.map(({ event }) => event);
      const { records: trials } = await store.listTrials(study);
      return checkHistory({ events, study: (await store.getStudy(study)) as Study, trials });
    }

    const create = (
      id = 'a',
      { trials = 2, max = 100, ...more }: { trials?: number; max?: number } & Partial<Study> = {},
      maxStudies?: number,
    ) =>
      store.createStudy({
        study: Study.fromPartial({ name: `studies/${id}`, state: StudyState.ACTIVE, ...more }),
        trials: Array.from({ length: trials }, (_, i) =>
          Trial.fromPartial({ name: trialName(i, id), state: PENDING }),
        ),
        requestId: `request ${id}`,
        fingerprint: Buffer.from(id),
        maxActiveStudies: max,
        maxStudies,
      });
    const start = async (number = 0, id = 'a'): Promise<Claim> =>
      (await store.startTrial(trialName(number, id))).claim;
    const resume = (points: readonly (readonly [number, number])[] = [], max = 100, study = NAME) =>
      store.resumeStudy({
        name: study,
        points: points.map(([number, checkpoint]) => ({ trial: trialName(number), checkpoint })),
        maxActiveStudies: max,
      });
    async function states(id = 'a') {
      const { records } = await store.listTrials(`studies/${id}`);
      const { state = StudyState.UNSPECIFIED } = (await store.getStudy(`studies/${id}`)) ?? {};
      return [studyStateName(state), ...records.map((trial) => trialStateName(trial.state))];
    }
    /** A study that ended with its only trial. */
    async function ended(id = 'a', ending: typeof DONE | typeof BROKEN = DONE): Promise<void> {
      await create(id, { trials: 1 });
      await store.endTrial(await start(0, id), ending);
    }

    describe('pausing a study', () => {
      it('pauses what waits at once, and what runs when it is interrupted, whoever does that', async () => {
        await create();
        const claim = await start();
        expect(await store.pauseStudy(NAME)).toMatchObject({
          state: StudyState.PAUSED,
          stateReason: 'paused by a caller',
        });
        expect(await states()).toEqual(['PAUSED', 'RUNNING', 'PAUSED']);
        await store.addOuterStep(claim, outerStep(1));
        expect(await store.interruptTrial(claim, STOPPED)).toMatchObject({
          state: PAUSED,
          stateReason: 'the server stopped; it goes on after outer step 1',
        });
        await expect(start()).rejects.toThrow(StateError);
        await expect(start(1)).rejects.toThrow(StateError);
      });

      it('changes nothing a second time, and is refused when the study has ended', async () => {
        await create();
        const paused = await store.pauseStudy(NAME);
        expect(await store.pauseStudy(NAME)).toEqual(paused);
        await ended('b');
        await expect(store.pauseStudy('studies/b')).rejects.toThrow(
          'studies/b is COMPLETED and cannot be paused',
        );
        await expect(store.pauseStudy('studies/none')).rejects.toThrow(NotFoundError);
      });

      it('lets a trial end that does so with its last window, and the study with it', async () => {
        await create('a', { trials: 1 });
        const claim = await start();
        await store.pauseStudy(NAME);
        await store.endTrial(claim, DONE);
        expect(await states()).toEqual(['COMPLETED', 'SUCCEEDED']);
      });

      it('makes room for another active study, and is cancelled as an active one', async () => {
        await create();
        await store.pauseStudy(NAME);
        await create('b', { max: 1 });
        await store.cancelStudy(NAME);
        expect(await states()).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED']);
      });

      it('counts for trials that waited for something else, too', async () => {
        await create('a', { trials: 1 });
        await store.pauseTrial(await start(), NO_DECISION);
        await store.pauseStudy(NAME);
        expect(await store.resumeTrial(trialName(0), 'decision', 'caller')).toBe(false);
        expect(await store.listPausedTrials('caller')).toEqual([trialName(0)]);
      });
    });

    describe('resuming a study', () => {
      it('lets all of its PAUSED trials wait for a worker, and tells which', async () => {
        await create('a', { trials: 3 });
        await store.endTrial(await start(), DONE);
        await store.pauseStudy(NAME);
        const { study, trials } = await resume();
        expect(study).toMatchObject({ state: StudyState.ACTIVE, stateReason: 'resumed' });
        expect(trials).toEqual([trialName(1), trialName(2)]);
        expect(await states()).toEqual(['ACTIVE', 'SUCCEEDED', 'PENDING', 'PENDING']);
        expect(await resume()).toEqual({ study, trials: [] });
      });

      it('lets a trial that is still on its way to a boundary go on', async () => {
        await create('a', { trials: 1 });
        const claim = await start();
        await store.pauseStudy(NAME);
        await resume();
        expect(await states()).toEqual(['ACTIVE', 'RUNNING']);
        expect(await store.interruptTrial(claim, STOPPED)).toMatchObject({ state: PENDING });
      });

      it('goes on with chosen trials, from the checkpoints that were chosen, until an outer step is stored', async () => {
        await create();
        const first = await start();
        await store.addOuterStep(first, outerStep(1));
        await store.pauseStudy(NAME);
        await store.interruptTrial(first, STOPPED);
        expect((await resume([[0, 1]])).trials).toEqual([trialName(0)]);
        expect(await states()).toEqual(['ACTIVE', 'PENDING', 'PAUSED']);
        expect((await resume([[0, 1]])).trials).toEqual([]);
        const started = await store.startTrial(trialName(0));
        expect(started.checkpoint).toBe(1);
        await store.interruptTrial(started.claim, STOPPED);
        const again = await store.startTrial(trialName(0));
        expect(again.checkpoint).toBe(1);
        await store.addOuterStep(again.claim, outerStep(2));
        await store.interruptTrial(again.claim, STOPPED);
        expect((await store.startTrial(trialName(0))).checkpoint).toBe(0);
      });

      it('takes up trials that FAILED by their names, also of a study that has ended', async () => {
        await ended('a', BROKEN);
        await expect(resume()).rejects.toThrow(/is FAILED and cannot be resumed/);
        expect((await resume([[0, 0]])).trials).toEqual([trialName(0)]);
        expect(await states()).toEqual(['ACTIVE', 'PENDING']);
        expect(await store.getTrial(trialName(0))).toMatchObject({ crashes: 0, endTime: undefined });
        await store.endTrial(await start(), DONE);
        expect(await states()).toEqual(['COMPLETED', 'SUCCEEDED']);
        await expect(resume([[0, 0]])).rejects.toThrow(
          'studies/a/trials/0 is SUCCEEDED and cannot be resumed',
        );
      });

      it('changes nothing when one of the trials cannot be, or is not there', async () => {
        await create();
        await store.endTrial(await start(), DONE);
        await store.pauseStudy(NAME);
        const both = [
          [1, 0],
          [0, 0],
        ] as const;
        await expect(resume(both)).rejects.toThrow(StateError);
        await expect(resume([[9, 0]])).rejects.toThrow(NotFoundError);
        await expect(resume([], 9, 'studies/none')).rejects.toThrow(NotFoundError);
        await create('b');
        await expect(resume([[1, 0]], 9, 'studies/b')).rejects.toThrow(NotFoundError);
        expect(await states()).toEqual(['PAUSED', 'SUCCEEDED', 'PAUSED']);
      });

      it('holds the number of active studies', async () => {
        await create();
        await store.pauseStudy(NAME);
        await create('b');
        await expect(resume([], 1)).rejects.toThrow(ActiveStudiesError);
        expect(await states()).toEqual(['PAUSED', 'PAUSED', 'PAUSED']);
      });
    });

    describe('pausing a trial', () => {
      it('lets the others of its study go on; with the last of them the study is PAUSED', async () => {
        await create();
        const claim = await start();
        expect(await store.pauseTrial(claim, NO_DECISION)).toMatchObject({
          state: PAUSED,
          stateReason: 'no decision came; it starts again',
        });
        expect(await states()).toEqual(['ACTIVE', 'PAUSED', 'PENDING']);
        await store.endTrial(await start(1), DONE);
        expect(await states()).toEqual(['PAUSED', 'PAUSED', 'SUCCEEDED']);
        await expect(store.pauseTrial(claim, NO_DECISION)).rejects.toThrow(StateError);
      });

      it.each(['dmd', 'machine'] as const)(
        'leaves its study ACTIVE when it goes on by itself, as with %s',
        async (cause) => {
          await create('a', { trials: 1 });
          await store.pauseTrial(await start(), { why: 'it did not answer', cause });
          expect(await states()).toEqual(['ACTIVE', 'PAUSED']);
          expect(await store.resumeTrial(trialName(0), cause, 'server')).toBe(true);
          expect(await states()).toEqual(['ACTIVE', 'PENDING']);
        },
      );

      it('is counted with the other states, and so are states that nothing is in', async () => {
        await create('a', { trials: 2 });
        await create('b', { trials: 1 });
        await store.pauseTrial(await start(), NO_DECISION);
        const { studies, trials } = await store.countStates();
        expect(studies).toEqual({ ACTIVE: 2, COMPLETED: 0, CANCELLED: 0, FAILED: 0, PAUSED: 0 });
        expect(trials).toMatchObject({ PENDING: 2, PAUSED: 1, RUNNING: 0, SUCCEEDED: 0 });
      });

      it('ends when what it waits for has come, and with nothing else', async () => {
        await create('a', { trials: 1 });
        await store.pauseTrial(await start(), NO_DECISION);
        expect(await store.listPausedTrials('decision')).toEqual([trialName(0)]);
        expect(await store.listPausedTrials('dmd')).toEqual([]);
        expect(await store.resumeTrial(trialName(0), 'dmd', 'server')).toBe(false);
        expect(await states()).toEqual(['PAUSED', 'PAUSED']);
        expect(await store.resumeTrial(trialName(0), 'decision', 'caller')).toBe(true);
        expect(await states()).toEqual(['ACTIVE', 'PENDING']);
        expect(await store.resumeTrial(trialName(0), 'decision', 'caller')).toBe(false);
        expect(await store.listPausedTrials('decision')).toEqual([]);
        await expect(store.resumeTrial(trialName(9), 'dmd', 'server')).rejects.toThrow(NotFoundError);
      });

      it('is for a caller to end when one has paused the study meanwhile', async () => {
        await create('a', { trials: 1 });
        const claim = await start();
        await store.pauseStudy(NAME);
        await store.pauseTrial(claim, NO_DECISION);
        expect(await store.resumeTrial(trialName(0), 'decision', 'caller')).toBe(false);
        expect((await resume()).trials).toEqual([trialName(0)]);
      });

      it('ends when a caller resumes its study', async () => {
        await create();
        await store.pauseTrial(await start(), NO_DECISION);
        expect((await resume()).trials).toEqual([trialName(0)]);
        expect(await states()).toEqual(['ACTIVE', 'PENDING', 'PENDING']);
      });
    });

    it('an outer step that was stored last is accepted again when it is the same', async () => {
      await create();
      const claim = await start();
      const moved = await store.addOuterStep(claim, outerStep(1));
      expect(await store.addOuterStep(claim, outerStep(1))).toEqual(moved);
      await expect(store.addOuterStep(claim, { ...outerStep(1), step: 51 })).rejects.toThrow(StateError);
    });

    describe('deleting a study', () => {
      it('removes all of it, leaves its name, and frees its request id', async () => {
        await create('a', { trials: 1, labels: { team: 'x' } });
        const claim = await start();
        for (const index of [1, 2]) await store.addOuterStep(claim, outerStep(index));
        await store.endTrial(claim, DONE);
        await store.deleteStudy(NAME);
        expect(await store.getStudy(NAME)).toBeUndefined();
        expect(await store.getTrial(trialName(0))).toBeUndefined();
        expect(await store.getOuterStep(`${trialName(0)}/outerSteps/1`)).toBeUndefined();
        expect((await store.listEvents(NAME, { limit: 9 })).records).toEqual([]);
        expect(await store.getDeleted(NAME)).toEqual({ owner: '' });
        expect(await store.getDeleted('studies/none')).toBeUndefined();
        await expect(store.deleteStudy(NAME)).rejects.toThrow(NotFoundError);
        await expect(store.addOuterStep(claim, outerStep(3))).rejects.toThrow(NotFoundError);
        const again = await store.createStudy({
          study: Study.fromPartial({ name: 'studies/b', state: StudyState.ACTIVE }),
          trials: [],
          requestId: 'request a',
          fingerprint: Buffer.of(9),
          maxActiveStudies: 9,
        });
        expect(again.created).toBe(true);
        await store.cancelStudy('studies/b');
      });

      it('is refused while it has not ended', async () => {
        await create();
        await expect(store.deleteStudy(NAME)).rejects.toThrow('studies/a is ACTIVE and cannot be deleted');
        await store.pauseStudy(NAME);
        await expect(store.deleteStudy(NAME)).rejects.toThrow(StateError);
        await store.cancelStudy(NAME);
        await store.deleteStudy(NAME);
      });

      it('makes room where the number of studies is limited', async () => {
        await ended('a');
        await create('b', {}, 2);
        await expect(create('c', {}, 2)).rejects.toThrow(StudiesError);
        expect((await create('b', {}, 2)).created).toBe(false);
        await store.deleteStudy(NAME);
        expect((await create('c', {}, 2)).created).toBe(true);
      });
    });

    describe('a list of studies', () => {
      const listed = async (filter: Partial<StudyPage>, after?: string) =>
        (await store.listStudies({ limit: 9, after, ...filter })).records.map(({ name: each }) =>
          each.slice(8),
        );

      it('has those in the states, with the labels and of the owner that are asked for', async () => {
        await create('a', { labels: { team: 'x', run: '1' }, owner: 'ann' });
        await create('b', { labels: { team: 'y', run: '1' } });
        await create('c', { labels: { team: 'x' } });
        await store.pauseStudy('studies/c');
        expect(await listed({})).toEqual(['c', 'b', 'a']);
        expect(await listed({ states: [StudyState.ACTIVE] })).toEqual(['b', 'a']);
        expect(await listed({ states: [StudyState.PAUSED, StudyState.ACTIVE] })).toEqual(['c', 'b', 'a']);
        expect(await listed({ labels: { team: 'x' } })).toEqual(['c', 'a']);
        expect(await listed({ labels: { team: 'x', run: '' } })).toEqual(['a']);
        expect(await listed({ labels: { team: 'z' } })).toEqual([]);
        expect(await listed({ owner: 'ann' })).toEqual(['a']);
        expect(await listed({ states: [StudyState.PAUSED], labels: { team: 'x' }, owner: '' })).toEqual([
          'c',
        ]);
        expect(await listed({ labels: { team: 'x' } }, 'studies/b')).toEqual(['a']);
      });

      it('goes on after a study that was deleted meanwhile', async () => {
        for (const id of ['a', 'b', 'c']) await ended(id);
        await store.deleteStudy('studies/b');
        expect(await listed({}, 'studies/b')).toEqual(['a']);
      });

      it('of those that need not be kept has the one that ended first before the others, and none that goes on', async () => {
        for (const id of ['a', 'b', 'c']) {
          await ended(id);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        await create('d');
        expect(await store.listExpired({ keep: 1, limit: 9 })).toEqual(['studies/a', 'studies/b']);
        expect(await store.listExpired({ keep: 1, limit: 1 })).toEqual(['studies/a']);
        expect(await store.listExpired({ limit: 9 })).toEqual([]);
        const endedBefore = (await store.getStudy('studies/b'))?.updateTime;
        expect(await store.listExpired({ endedBefore, limit: 9 })).toEqual(['studies/a']);
      });
    });

    it('tells the last event of many studies at once, and of those that are there', async () => {
      await create();
      await start();
      await create('b');
      const many = Array.from({ length: 600 }, (_, i) => `studies/none${i}`);
      expect(await store.lastSequences([...many, NAME, 'studies/b'])).toEqual(
        new Map([
          [NAME, 2],
          ['studies/b', await store.lastSequence('studies/b')],
        ]),
      );
      expect(await store.lastSequences([])).toEqual(new Map());
    });

    it('gives a study with its trials and its last event as they are at one moment', async () => {
      await create();
      await start();
      const snapshot = await store.getSnapshot(NAME, { limit: 1 });
      expect(snapshot).toMatchObject({ study: { name: NAME }, trials: [{ state: RUNNING }], sequence: 2 });
      expect(snapshot?.trials).toHaveLength(1);
      expect(await store.lastSequence(NAME)).toBe(2);
      expect(await store.getSnapshot('studies/none', { limit: 1 })).toBeUndefined();
      expect(await store.lastSequence('studies/none')).toBe(0);
      await store.cancelStudy(NAME);
      expect((await store.getSnapshot(NAME, { limit: 9 }))?.trials.map(({ state }) => state)).toEqual([
        CANCELLED,
        CANCELLED,
      ]);
    });
  });
}
