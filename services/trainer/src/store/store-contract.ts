/** The behaviour that every store must have, as a vitest suite. */

import { OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ActiveStudiesError, RequestIdReusedError, type Store, StoreError } from './store.ts';

const study = (id: string) =>
  Study.fromPartial({
    name: `studies/${id}`,
    displayName: id,
    state: StudyState.ACTIVE,
    createTime: new Date(0),
  });
const trial = (id: string, number = 0) =>
  Trial.fromPartial({ name: `studies/${id}/trials/${number}`, seed: number, state: TrialState.PENDING });
const outerStep = (id: string, index: number) =>
  OuterStep.fromPartial({
    name: `studies/${id}/trials/0/outerSteps/${index}`,
    index,
    step: index * 50,
    window: { components: ['lr'], firstStep: 1, rows: 2, hypergradients: Buffer.from([index, 2, 3]) },
  });

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

    const create = (id: string, options: { requestId?: string; specification?: string; max?: number } = {}) =>
      store.createStudy({
        study: study(id),
        trials: [trial(id, 0), trial(id, 1)],
        requestId: options.requestId ?? '',
        specification: Buffer.from(options.specification ?? id),
        maxActiveStudies: options.max ?? 100,
      });

    it('keeps what was acknowledged over closing and opening', async () => {
      await create('a');
      await store.addOuterStep({ ...trial('a'), stepsDone: 50 }, outerStep('a', 1));
      await store.close();
      store = await reopen();
      expect(await store.getStudy('studies/a')).toEqual(study('a'));
      expect((await store.getTrial('studies/a/trials/0'))?.stepsDone).toBe(50);
      expect(await store.getOuterStep('studies/a/trials/0/outerSteps/1')).toEqual(outerStep('a', 1));
      expect(await store.listEvents('studies/a', 0, 10)).toHaveLength(2);
    });

    it('answers with nothing where there is nothing', async () => {
      expect(await store.getStudy('studies/none')).toBeUndefined();
      expect(await store.getTrial('studies/none/trials/0')).toBeUndefined();
      expect(await store.getOuterStep('studies/none/trials/0/outerSteps/1')).toBeUndefined();
      expect(await store.listTrials('studies/none')).toEqual([]);
      expect(await store.listEvents('studies/none', 0, 10)).toEqual([]);
      await expect(store.updateStudy(study('none'))).rejects.toThrow(StoreError);
      await expect(store.updateTrial(trial('none'))).rejects.toThrow(StoreError);
    });

    it('makes a study once for a request id, and refuses the id for another study', async () => {
      expect(await create('a', { requestId: 'r', specification: 'same' })).toMatchObject({ created: true });
      const again = await create('b', { requestId: 'r', specification: 'same' });
      expect(again).toMatchObject({ created: false, study: { name: 'studies/a' } });
      expect(await store.getStudy('studies/b')).toBeUndefined();
      await expect(create('c', { requestId: 'r', specification: 'other' })).rejects.toThrow(
        RequestIdReusedError,
      );
    });

    it('holds the number of active studies, except for a repeated request', async () => {
      await create('a', { requestId: 'r', max: 1 });
      await expect(create('b', { max: 1 })).rejects.toThrow(ActiveStudiesError);
      expect(await create('a', { requestId: 'r', max: 1 })).toMatchObject({ created: false });
      await store.updateStudy({ ...study('a'), state: StudyState.COMPLETED });
      expect(await create('b', { max: 1 })).toMatchObject({ created: true });
    });

    it('lists studies newest first, page by page', async () => {
      for (const id of ['a', 'b', 'c']) await create(id);
      const first = await store.listStudies(2);
      expect(first.map(({ displayName }) => displayName)).toEqual(['c', 'b']);
      const rest = await store.listStudies(2, first.at(-1)?.name);
      expect(rest.map(({ displayName }) => displayName)).toEqual(['a']);
    });

    it('lists the active studies, oldest first', async () => {
      for (const id of ['a', 'b', 'c']) await create(id);
      await store.updateStudy({ ...study('b'), state: StudyState.CANCELLED });
      expect((await store.listActiveStudies()).map(({ name }) => name)).toEqual(['studies/a', 'studies/c']);
    });

    it('lists the trials that have not ended, oldest study first', async () => {
      await create('a');
      await create('b');
      await store.updateTrial({ ...trial('a', 1), state: TrialState.SUCCEEDED });
      await store.updateTrial({ ...trial('b', 0), state: TrialState.RUNNING });
      expect((await store.listUnfinishedTrials()).map((unfinished) => unfinished.name)).toEqual([
        'studies/a/trials/0',
        'studies/b/trials/0',
        'studies/b/trials/1',
      ]);
    });

    it('appends outer steps, pages through them, and leaves rows out unless asked', async () => {
      await create('a');
      for (const index of [1, 2, 3]) await store.addOuterStep(trial('a'), outerStep('a', index));
      const lean = await store.listOuterSteps('studies/a/trials/0', { limit: 2, after: 0, windows: false });
      expect(lean.map(({ index, window }) => [index, window?.hypergradients.length])).toEqual([
        [1, 0],
        [2, 0],
      ]);
      const full = await store.listOuterSteps('studies/a/trials/0', { limit: 2, after: 2, windows: true });
      expect(full).toEqual([outerStep('a', 3)]);
    });

    it('refuses an outer step twice and changes nothing then', async () => {
      await create('a');
      await store.addOuterStep({ ...trial('a'), stepsDone: 50 }, outerStep('a', 1));
      await expect(store.addOuterStep({ ...trial('a'), stepsDone: 99 }, outerStep('a', 1))).rejects.toThrow(
        StoreError,
      );
      expect((await store.getTrial('studies/a/trials/0'))?.stepsDone).toBe(50);
      expect(await store.listEvents('studies/a', 0, 10)).toHaveLength(2);
    });

    it('numbers the events of each study from 1, without rows of windows', async () => {
      await create('a');
      await create('b');
      await store.updateTrial({ ...trial('a'), state: TrialState.RUNNING });
      await store.addOuterStep(trial('a'), outerStep('a', 1));
      const events = await store.listEvents('studies/a', 0, 10);
      expect(events.map(({ sequence, event }) => [sequence, event.cursor, event.event?.$case])).toEqual([
        [1, '1', 'study'],
        [2, '2', 'trial'],
        [3, '3', 'outerStep'],
      ]);
      const last = events.at(-1)?.event.event;
      expect(last?.$case === 'outerStep' && last.value.window?.hypergradients.length).toBe(0);
      expect(await store.listEvents('studies/a', 2, 10)).toHaveLength(1);
      expect(await store.listEvents('studies/b', 0, 10)).toHaveLength(1);
    });
  });
}
