/** The behaviour that every store must have, as a vitest suite. */

import { OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { unknownFields } from '@glocal/proto/unknown-fields';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotFoundError, StateError } from '../resource/errors.ts';
import { ActiveStudiesError, RequestIdReusedError, StaleEpochError } from './errors.ts';
import { ownersContract } from './owners.store-contract.ts';
import { reportsContract } from './reports.store-contract.ts';
import type { Claim, Store } from './store.ts';

const study = (id: string) =>
  Study.fromPartial({
    name: `studies/${id}`,
    displayName: id,
    state: StudyState.ACTIVE,
    createTime: new Date(0),
  });
const trialName = (id: string, number = 0) => `studies/${id}/trials/${number}`;
const trial = (id: string, number = 0) =>
  Trial.fromPartial({ name: trialName(id, number), seed: number, state: TrialState.PENDING });
const outerStep = (id: string, index: number) =>
  OuterStep.fromPartial({
    name: `studies/${id}/trials/0/outerSteps/${index}`,
    index,
    step: index * 50,
    nextValues: [{ name: 'lr', value: 0.1 / index }],
    window: { components: ['lr'], firstStep: 1, rows: 2, hypergradients: Buffer.from([index, 2, 3]) },
    report: { spectrum: { modes: [{ contribution: Buffer.of(index) }, { contribution: Buffer.of(7) }] } },
  });
const SUCCEEDED = { state: TrialState.SUCCEEDED, reason: 'all steps done' } as const;
const FAILED = { state: TrialState.FAILED, reason: 'no memory' } as const;
const STOPPED = { why: 'the server stopped', crashed: false } as const;
const CRASHED = { why: 'no memory', crashed: true } as const;

/** All combinations of how promises ended, to be compared with what the store has. */
const settle = async (promises: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(promises)).map(({ status }) => status === 'fulfilled');

/**
 * @param open makes an empty store.
 * @param reopen opens what `open` made once more, after it was closed.
 */
export function storeContract(name: string, open: () => Promise<Store>, reopen: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    const create = (
      id: string,
      options: { requestId?: string; fingerprint?: string; max?: number; trials?: number } = {},
    ) =>
      store.createStudy({
        study: study(id),
        trials: Array.from({ length: options.trials ?? 2 }, (_, i) => trial(id, i)),
        requestId: options.requestId ?? '',
        fingerprint: Buffer.from(options.fingerprint ?? id),
        maxActiveStudies: options.max ?? 100,
      });
    /** A study whose first trial runs. */
    const started = async (id: string, trials = 2): Promise<Claim> => {
      await create(id, { trials });
      return (await store.startTrial(trialName(id))).claim;
    };
    const names = (records: readonly { readonly name: string }[]) => records.map((record) => record.name);
    const events = async (id: string, after = 0) =>
      (await store.listEvents(`studies/${id}`, { after, limit: 100 })).records;
    const kinds = async (id: string) => (await events(id)).map(({ event }) => event.event?.$case);

    it('keeps what was acknowledged over closing and opening', async () => {
      const claim = await started('a');
      await store.addOuterStep(claim, outerStep('a', 1));
      await store.close();
      store = await reopen();
      expect(await store.getStudy('studies/a')).toEqual(study('a'));
      expect((await store.getTrial(trialName('a')))?.stepsDone).toBe(50);
      expect(await store.getOuterStep('studies/a/trials/0/outerSteps/1')).toEqual(outerStep('a', 1));
      expect(await kinds('a')).toEqual(['study', 'trial', 'outerStep']);
    });

    it('answers with nothing where there is nothing', async () => {
      expect(await store.getStudy('studies/none')).toBeUndefined();
      expect(await store.getTrial('studies/none/trials/0')).toBeUndefined();
      expect(await store.getOuterStep('studies/none/trials/0/outerSteps/1')).toBeUndefined();
      const nothing = { records: [], more: false };
      expect(await store.listTrials('studies/none')).toEqual(nothing);
      expect(await store.listOuterSteps('studies/none/trials/0', { limit: 9 })).toEqual(nothing);
      expect(await store.listEvents('studies/none', { limit: 9 })).toEqual(nothing);
      await expect(store.cancelStudy('studies/none')).rejects.toThrow(NotFoundError);
      await expect(store.startTrial('studies/none/trials/0')).rejects.toThrow(NotFoundError);
      const claim = { trial: 'studies/none/trials/0', epoch: 1 };
      await expect(store.endTrial(claim, FAILED)).rejects.toThrow(NotFoundError);
    });

    ownersContract(() => store);
    reportsContract(
      () => store,
      async () => {
        await store.close();
        store = await reopen();
      },
    );

    describe('creating a study', () => {
      it('happens once for a request id, which is refused for another request', async () => {
        expect(await create('a', { requestId: 'r', fingerprint: 'same' })).toMatchObject({ created: true });
        const again = await create('b', { requestId: 'r', fingerprint: 'same' });
        expect(again).toMatchObject({ created: false, study: { name: 'studies/a' } });
        expect(await store.getStudy('studies/b')).toBeUndefined();
        await expect(create('c', { requestId: 'r', fingerprint: 'other' })).rejects.toThrow(
          RequestIdReusedError,
        );
      });

      it('happens once when the same request comes many times at once', async () => {
        const ids = ['a', 'b', 'c', 'd'];
        const results = await Promise.all(
          ids.map((id) => create(id, { requestId: 'r', fingerprint: 'same' })),
        );
        expect(results.filter(({ created }) => created)).toHaveLength(1);
        expect(new Set(names(results.map((result) => result.study))).size).toBe(1);
      });

      it('holds the number of active studies, except for a repeated request', async () => {
        const claim = await started('a', 1);
        await expect(create('b', { max: 1 })).rejects.toThrow(ActiveStudiesError);
        await store.endTrial(claim, SUCCEEDED);
        expect(await create('b', { max: 1, requestId: 'r' })).toMatchObject({ created: true });
        expect(await create('b', { max: 1, requestId: 'r' })).toMatchObject({ created: false });
      });

      it('holds the number of active studies also when many come at once', async () => {
        const made = await settle(['a', 'b', 'c', 'd'].map((id) => create(id, { max: 2 })));
        expect(made.filter((fulfilled) => fulfilled)).toHaveLength(2);
      });
    });

    describe('a trial', () => {
      it('is started once, with an epoch and what there is to know', async () => {
        await create('a');
        const { claim, ...known } = await store.startTrial(trialName('a'));
        expect(claim).toEqual({ trial: trialName('a'), epoch: 1 });
        expect(known).toMatchObject({
          study: { name: 'studies/a' },
          trial: { state: TrialState.RUNNING, startTime: expect.any(Date) },
        });
        await expect(store.startTrial(trialName('a'))).rejects.toThrow(StateError);
      });

      it('is started by one of many that want to', async () => {
        await create('a');
        const won = await settle([1, 2, 3, 4].map(() => store.startTrial(trialName('a'))));
        expect(won.filter((fulfilled) => fulfilled)).toHaveLength(1);
        expect(await kinds('a')).toEqual(['study', 'trial']);
      });

      it('knows what computes it', async () => {
        const claim = await started('a');
        const runtime = { backend: 'wasm', datasetSha256: 'ab', stateReason: 'goes on' };
        expect(await store.describeRuntime(claim, runtime)).toMatchObject(runtime);
        expect((await events('a')).at(-1)?.event.event).toMatchObject({ $case: 'trial', value: runtime });
      });

      it('moves on with each outer step', async () => {
        const claim = await started('a');
        await store.addOuterStep(claim, outerStep('a', 1));
        const moved = await store.addOuterStep(claim, outerStep('a', 2));
        const { nextValues: values } = outerStep('a', 2);
        expect(moved).toMatchObject({ stepsDone: 100, outerStepsDone: 2, values });
        expect(await store.getTrial(trialName('a'))).toEqual(moved);
      });

      it.each([1, 3])(
        'refuses another outer step %i after the first, and changes nothing then',
        async (index) => {
          const claim = await started('a');
          await store.addOuterStep(claim, outerStep('a', 1));
          const another = { ...outerStep('a', index), trainLoss: 7 };
          await expect(store.addOuterStep(claim, another)).rejects.toThrow(StateError);
          expect((await store.getTrial(trialName('a')))?.stepsDone).toBe(50);
          expect(await kinds('a')).toEqual(['study', 'trial', 'outerStep']);
        },
      );

      it('takes nothing from an older claim', async () => {
        const claim = await started('a');
        const old = { ...claim, epoch: claim.epoch - 1 };
        await expect(store.addOuterStep(old, outerStep('a', 1))).rejects.toThrow(StaleEpochError);
        await expect(store.endTrial(old, FAILED)).rejects.toThrow(StaleEpochError);
        const runtime = { backend: 'wasm', datasetSha256: '', stateReason: '' };
        await expect(store.interruptTrial(old, STOPPED)).rejects.toThrow(StaleEpochError);
        await expect(store.describeRuntime(old, runtime)).rejects.toThrow(StaleEpochError);
        expect(await kinds('a')).toEqual(['study', 'trial']);
      });

      it('ends once, with its figures, and takes nothing afterwards', async () => {
        const claim = await started('a');
        const figures = { loss: 0.5, accuracy: 0.9, examples: 10 };
        const { trial: ended } = await store.endTrial(claim, { ...SUCCEEDED, test: figures });
        expect(ended).toMatchObject({
          state: TrialState.SUCCEEDED,
          stateReason: 'all steps done',
          test: figures,
          endTime: expect.any(Date),
        });
        await expect(store.endTrial(claim, FAILED)).rejects.toThrow(StateError);
        await expect(store.addOuterStep(claim, outerStep('a', 1))).rejects.toThrow(StateError);
        expect(await store.getTrial(trialName('a'))).toEqual(ended);
      });

      it('that is interrupted waits to go on where it is, for another attempt with another claim', async () => {
        const first = await started('a');
        await store.addOuterStep(first, outerStep('a', 1));
        const { startTime } = (await store.getTrial(trialName('a'))) ?? {};
        const waiting = await store.interruptTrial(first, STOPPED);
        expect(waiting).toMatchObject({
          state: TrialState.PENDING,
          stateReason: 'the server stopped; it goes on after outer step 1',
          outerStepsDone: 1,
          attempts: 1,
          crashes: 0,
          endTime: undefined,
        });
        expect((await events('a')).at(-1)?.event.event).toEqual({ $case: 'trial', value: waiting });
        const { claim, trial: again } = await store.startTrial(trialName('a'));
        expect(claim.epoch).toBe(2);
        expect(again).toMatchObject({ state: TrialState.RUNNING, attempts: 2, startTime });
        await expect(store.addOuterStep(first, outerStep('a', 2))).rejects.toThrow(StaleEpochError);
        expect(await store.addOuterStep(claim, outerStep('a', 2))).toMatchObject({ outerStepsDone: 2 });
      });

      it('knows which claims have stored its outer steps', async () => {
        const first = await started('a');
        expect(await store.listOuterStepEpochs(trialName('a'))).toEqual([]);
        await store.addOuterStep(first, outerStep('a', 1));
        await store.addOuterStep(first, outerStep('a', 2));
        await store.interruptTrial(first, STOPPED);
        const { claim } = await store.startTrial(trialName('a'));
        await store.addOuterStep(claim, outerStep('a', 3));
        expect(await store.listOuterStepEpochs(trialName('a'))).toEqual([
          { epoch: first.epoch, first: 1 },
          { epoch: claim.epoch, first: 3 },
        ]);
      });

      it('counts the deaths of its process until its next outer step is stored', async () => {
        const crash = async () => {
          const { claim } = await store.startTrial(trialName('a'));
          return store.interruptTrial(claim, CRASHED);
        };
        await create('a');
        expect(await crash()).toMatchObject({ crashes: 1, stateReason: 'no memory; it starts again' });
        expect(await crash()).toMatchObject({ crashes: 2, attempts: 2 });
        const { claim } = await store.startTrial(trialName('a'));
        expect(await store.interruptTrial(claim, STOPPED)).toMatchObject({ crashes: 2 });
        const { claim: last } = await store.startTrial(trialName('a'));
        expect(await store.addOuterStep(last, outerStep('a', 1))).toMatchObject({ crashes: 0, attempts: 4 });
      });

      it('is interrupted only while it runs', async () => {
        await create('a');
        const name = trialName('a');
        await expect(store.interruptTrial({ trial: name, epoch: 0 }, STOPPED)).rejects.toThrow(StateError);
        const { claim } = await store.startTrial(name);
        await store.cancelStudy('studies/a');
        await expect(store.interruptTrial(claim, STOPPED)).rejects.toThrow(StateError);
        expect((await store.getTrial(name))?.state).toBe(TrialState.CANCELLED);
      });

      it('cannot end before it has started', async () => {
        await create('a');
        await expect(store.endTrial({ trial: trialName('a'), epoch: 0 }, FAILED)).rejects.toThrow(StateError);
      });
    });

    describe('a study', () => {
      it('ends with the last of its trials, in the same step', async () => {
        const first = await started('a');
        const { claim: second } = await store.startTrial(trialName('a', 1));
        expect((await store.endTrial(first, FAILED)).study.state).toBe(StudyState.ACTIVE);
        const { study: ended } = await store.endTrial(second, SUCCEEDED);
        expect(ended).toMatchObject({
          state: StudyState.COMPLETED,
          stateReason: '1 of 2 trials succeeded',
          updateTime: expect.any(Date),
        });
        expect(await store.getStudy('studies/a')).toEqual(ended);
        expect(await kinds('a')).toEqual(['study', 'trial', 'trial', 'trial', 'trial', 'study']);
      });

      it('has FAILED when none of its trials succeeded', async () => {
        const { study: ended } = await store.endTrial(await started('a', 1), FAILED);
        expect(ended).toMatchObject({ state: StudyState.FAILED, stateReason: '0 of 1 trials succeeded' });
      });

      it('ends once when its trials end at the same time', async () => {
        await create('a', { trials: 4 });
        const claims = await Promise.all([0, 1, 2, 3].map((n) => store.startTrial(trialName('a', n))));
        await Promise.all(claims.map(({ claim }) => store.endTrial(claim, SUCCEEDED)));
        expect((await kinds('a')).filter((kind) => kind === 'study')).toHaveLength(2);
        expect((await kinds('a')).at(-1)).toBe('study');
      });

      it('is cancelled together with its trials, whoever trains them', async () => {
        const claim = await started('a');
        const cancelled = await store.cancelStudy('studies/a');
        expect(cancelled).toMatchObject({
          state: StudyState.CANCELLED,
          stateReason: 'cancelled by a caller',
          updateTime: expect.any(Date),
        });
        const { records } = await store.listTrials('studies/a');
        for (const { state, stateReason, endTime } of records) {
          expect({ state, stateReason }).toEqual({
            state: TrialState.CANCELLED,
            stateReason: 'the study was cancelled',
          });
          expect(endTime).toBeInstanceOf(Date);
        }
        await expect(store.addOuterStep(claim, outerStep('a', 1))).rejects.toThrow(StateError);
        await expect(store.startTrial(trialName('a', 1))).rejects.toThrow(StateError);
        expect(await kinds('a')).toEqual(['study', 'trial', 'study', 'trial', 'trial']);
      });

      it('that has ended is not cancelled', async () => {
        const { study: ended } = await store.endTrial(await started('a', 1), SUCCEEDED);
        expect(await store.cancelStudy('studies/a')).toEqual(ended);
        expect(await kinds('a')).toEqual(['study', 'trial', 'trial', 'study']);
      });

      it('is cancelled once, and keeps the trials that had ended', async () => {
        await store.endTrial(await started('a'), SUCCEEDED);
        await Promise.all([store.cancelStudy('studies/a'), store.cancelStudy('studies/a')]);
        const { records } = await store.listTrials('studies/a');
        expect(records.map(({ state }) => state)).toEqual([TrialState.SUCCEEDED, TrialState.CANCELLED]);
        expect((await kinds('a')).filter((kind) => kind === 'study')).toHaveLength(2);
      });

      it('cancelled while its trials start, move on and end is over all the same, and its events agree', async () => {
        for (let round = 0; round < 10; round++) {
          const id = `race-${round}`;
          await create(id, { trials: 3 });
          const live = async (number: number) => {
            const { claim } = await store.startTrial(trialName(id, number));
            if (number === 0) await store.addOuterStep(claim, outerStep(id, 1));
            await store.endTrial(claim, SUCCEEDED);
          };
          await settle([live(0), live(1), store.cancelStudy(`studies/${id}`), live(2)]);
          const { records } = await store.listTrials(`studies/${id}`);
          const told = (await events(id)).flatMap(({ event: { event } }) =>
            event?.$case === 'trial' ? [event.value] : [],
          );
          for (const { name, state } of records) {
            expect([TrialState.SUCCEEDED, TrialState.CANCELLED]).toContain(state);
            expect(told.findLast((event) => event.name === name)?.state).toBe(state);
          }
          const all = await kinds(id);
          expect(all.filter((kind) => kind === 'study')).toHaveLength(2);
        }
      });
    });

    describe('a list', () => {
      it('of studies has the newest first, page by page', async () => {
        for (const id of ['a', 'b', 'c']) await create(id);
        const first = await store.listStudies({ limit: 2 });
        expect(first).toMatchObject({ records: [{ displayName: 'c' }, { displayName: 'b' }], more: true });
        const rest = await store.listStudies({ limit: 2, after: 'studies/b' });
        expect(rest).toMatchObject({ records: [{ displayName: 'a' }], more: false });
      });

      it('of trials is in the order of their creation, page by page', async () => {
        await create('a', { trials: 3 });
        expect(names((await store.listTrials('studies/a')).records)).toEqual(
          [0, 1, 2].map((n) => trialName('a', n)),
        );
        const page = await store.listTrials('studies/a', { after: 0, limit: 1 });
        expect({ ...page, records: names(page.records) }).toEqual({
          records: [trialName('a', 1)],
          more: true,
        });
        const last = await store.listTrials('studies/a', { after: 1, limit: 1 });
        expect({ ...last, records: names(last.records) }).toEqual({
          records: [trialName('a', 2)],
          more: false,
        });
      });

      it('of the trials of all studies has those of the newest study first, page by page', async () => {
        for (const id of ['a', 'b', 'c']) await create(id, { trials: 2 });
        const at = (study: string, trial: number) => ({ study: `studies/${study}`, trial });
        const all = await store.listAllTrials({ limit: 9 });
        expect(names(all.records)).toEqual(
          ['c', 'b', 'a'].flatMap((id) => [trialName(id, 0), trialName(id, 1)]),
        );
        expect(all.more).toBe(false);
        const page = await store.listAllTrials({ limit: 2, after: at('c', 0) });
        expect({ ...page, records: names(page.records) }).toEqual({
          records: [trialName('c', 1), trialName('b', 0)],
          more: true,
        });
        await store.cancelStudy('studies/b');
        await store.deleteStudy('studies/b');
        const rest = await store.listAllTrials({ limit: 2, after: at('b', 0) });
        expect({ ...rest, records: names(rest.records) }).toEqual({
          records: [trialName('a', 0), trialName('a', 1)],
          more: false,
        });
        expect(await store.listAllTrials({ limit: 9, owner: 'nobody' })).toEqual({
          records: [],
          more: false,
        });
      });

      it('of outer steps leaves large parts out unless asked', async () => {
        const claim = await started('a');
        for (const index of [1, 2, 3]) await store.addOuterStep(claim, outerStep('a', index));
        const { records: lean, more } = await store.listOuterSteps(trialName('a'), { limit: 2 });
        expect(more).toBe(true);
        expect(lean.map(({ index, window }) => [index, window?.hypergradients.length])).toEqual([
          [1, 0],
          [2, 0],
        ]);
        expect(lean[0]?.report?.spectrum?.modes.map(({ contribution }) => contribution.length)).toEqual([
          0, 0,
        ]);
        const full = await store.listOuterSteps(trialName('a'), { limit: 2, after: 2, windows: true });
        expect(full).toEqual({ records: [outerStep('a', 3)], more: false });
      });

      it('ends before it would pass a number of bytes, but has one record', async () => {
        const claim = await started('a', 3);
        const large = Buffer.alloc(1_000, 1);
        for (const index of [1, 2, 3]) {
          const step = outerStep('a', index);
          if (step.window) step.window.hypergradients = large;
          await store.addOuterStep(claim, step);
        }
        const indices = async (maxBytes: number, windows: boolean) => {
          const page = await store.listOuterSteps(trialName('a'), { limit: 9, maxBytes, windows });
          return { steps: page.records.map(({ index }) => index), more: page.more };
        };
        expect(await indices(2_500, true)).toEqual({ steps: [1, 2], more: true });
        expect(await indices(2_500, false)).toEqual({ steps: [1, 2, 3], more: false });
        expect(await indices(1, true)).toEqual({ steps: [1], more: true });
        for (const list of [
          () => store.listTrials('studies/a', { limit: 9, maxBytes: 1 }),
          () => store.listEvents('studies/a', { limit: 9, maxBytes: 1 }),
        ]) {
          expect(await list()).toMatchObject({ records: { length: 1 }, more: true });
        }
        await create('b');
        expect(await store.listStudies({ limit: 9, maxBytes: 1 })).toMatchObject({ more: true });
      });

      it('of outer steps has one that would pass the number of bytes with its large parts without them', async () => {
        const claim = await started('a');
        const step = outerStep('a', 1);
        if (step.window) step.window.hypergradients = Buffer.alloc(10_000, 1);
        await store.addOuterStep(claim, step);
        await store.addOuterStep(claim, outerStep('a', 2));
        const page = { limit: 9, maxBytes: 5_000, windows: true };
        const { records, more } = await store.listOuterSteps(trialName('a'), page);
        expect(records.map(({ window }) => window?.hypergradients.length)).toEqual([0, 3]);
        expect(more).toBe(false);
      });
    });

    it('numbers the events of each study from 1, without large parts', async () => {
      const claim = await started('a');
      await create('b');
      await store.addOuterStep(claim, outerStep('a', 1));
      const all = await events('a');
      expect(all.map(({ sequence, event }) => [sequence, event.cursor, event.event?.$case])).toEqual([
        [1, '1', 'study'],
        [2, '2', 'trial'],
        [3, '3', 'outerStep'],
      ]);
      const last = all.at(-1)?.event;
      expect(last?.time).toBeInstanceOf(Date);
      expect(last?.event).toMatchObject({ value: { index: 1, step: 50 } });
      expect(last?.event?.$case === 'outerStep' && last.event.value.window?.hypergradients.length).toBe(0);
      expect(await events('a', 2)).toHaveLength(1);
      expect(await events('b')).toHaveLength(1);
    });

    it('keeps what a newer program has put into records, whatever becomes of them', async () => {
      const [ofStudy, ofTrial, ofStep, ofReport] = [1, 2, 3, 4].map((n) => ({
        [unknownFields]: { 8002: [Uint8Array.of(1, n)] },
      }));
      await store.createStudy({
        study: { ...study('a'), ...ofStudy },
        trials: [{ ...trial('a'), ...ofTrial }],
        requestId: '',
        fingerprint: Buffer.from('a'),
        maxActiveStudies: 100,
      });
      const { claim } = await store.startTrial(trialName('a'));
      const step = outerStep('a', 1);
      const report = step.report && { ...step.report, ...ofReport };
      await store.addOuterStep(claim, { ...step, report, ...ofStep });
      await store.endTrial(claim, SUCCEEDED);
      await store.close();
      store = await reopen();
      expect(await store.getStudy('studies/a')).toMatchObject({ state: StudyState.COMPLETED, ...ofStudy });
      expect(await store.getTrial(trialName('a'))).toMatchObject({ state: TrialState.SUCCEEDED, ...ofTrial });
      expect(await store.getOuterStep('studies/a/trials/0/outerSteps/1')).toEqual({
        ...step,
        report,
        ...ofStep,
      });
      const [, told] = (await events('a')).flatMap(({ event }) =>
        event.event?.$case === 'trial' ? [event.event.value] : [],
      );
      expect(told).toMatchObject({ state: TrialState.SUCCEEDED, ...ofTrial });
    });

    it('gives records that are the reader’s own', async () => {
      await create('a');
      const read = await store.getStudy('studies/a');
      if (read) read.displayName = 'changed';
      expect((await store.getStudy('studies/a'))?.displayName).toBe('a');
    });
  });
}
