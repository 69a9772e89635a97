/** The behaviour that every store must have for artifacts, as a vitest suite. */

import { Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { Artifact } from '@glocal/proto/glocal/v1/study_service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotFoundError, StateError } from '../resource/errors.ts';
import type { Store } from './store.ts';

/** @param open makes an empty store. @param reopen opens it once more, after it was closed. */
export function artifactStoreContract(
  name: string,
  open: () => Promise<Store>,
  reopen: () => Promise<Store>,
): void {
  describe(`artifacts in ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    const artifact = (id: string, owner = 'ann') =>
      Artifact.fromPartial({
        name: `artifacts/${id}`,
        owner,
        size: 10n,
        displayName: id,
        createTime: new Date(0),
      });
    const create = (id: string, { owner = 'ann', content = id } = {}) =>
      store.createArtifact({
        artifact: artifact(id, owner),
        digest: Buffer.from(content),
        description: `about ${id}`,
      });
    const list = async (owner: string | undefined, page: { limit?: number; after?: string } = {}) => {
      const { records, more } = await store.listArtifacts({ owner, limit: 9, ...page });
      return { ids: records.map((record) => record.displayName), more };
    };
    const createStudy = (id: string, artifacts: readonly string[]) =>
      store.createStudy({
        study: Study.fromPartial({ name: `studies/${id}`, state: StudyState.ACTIVE }),
        trials: [Trial.fromPartial({ name: `studies/${id}/trials/0`, state: TrialState.PENDING })],
        requestId: '',
        fingerprint: Buffer.from(id),
        maxActiveStudies: 9,
        artifacts,
      });

    it('are kept over closing and opening, with what was said of them', async () => {
      expect(await create('a')).toEqual({ artifact: artifact('a'), created: true });
      await store.close();
      store = await reopen();
      expect(await store.getArtifact('artifacts/a')).toEqual({
        artifact: artifact('a'),
        description: 'about a',
      });
      expect(await store.getArtifact('artifacts/b')).toBeUndefined();
    });

    it('are there once for each owner and content, also when they come at once', async () => {
      const results = await Promise.all(['a', 'b', 'c'].map((id) => create(id, { content: 'same' })));
      expect(results.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(results.map((result) => result.artifact.name)).size).toBe(1);
      expect(await create('d', { content: 'same', owner: 'bob' })).toMatchObject({ created: true });
    });

    it('are listed newest first, of one owner or of all, in pages', async () => {
      for (const id of ['a', 'b', 'c']) await create(id);
      await create('d', { owner: 'bob' });
      expect(await list('ann')).toEqual({ ids: ['c', 'b', 'a'], more: false });
      expect(await list(undefined, { limit: 2 })).toEqual({ ids: ['d', 'c'], more: true });
      expect(await list('ann', { limit: 2, after: 'artifacts/c' })).toEqual({ ids: ['b', 'a'], more: false });
    });

    it('count their bytes by owner, without those that were deleted', async () => {
      for (const id of ['a', 'b']) await create(id);
      expect(await store.artifactBytes('ann')).toBe(20n);
      await store.deleteArtifact('artifacts/a');
      expect(await store.artifactBytes('ann')).toBe(10n);
      expect(await store.artifactBytes('bob')).toBe(0n);
    });

    it('are known to have been there when they were deleted, and their content may come again', async () => {
      for (const id of ['a', 'b', 'c']) await create(id);
      await store.deleteArtifact('artifacts/b');
      await store.deleteArtifact('artifacts/b');
      await store.deleteArtifact('artifacts/none');
      expect(await store.getArtifact('artifacts/b')).toBeUndefined();
      expect(await store.deletedArtifactOwner('artifacts/b')).toBe('ann');
      expect(await store.deletedArtifactOwner('artifacts/a')).toBeUndefined();
      expect(await store.deletedArtifactOwner('artifacts/none')).toBeUndefined();
      expect(await list('ann', { after: 'artifacts/b' })).toEqual({ ids: ['a'], more: false });
      expect(await create('d', { content: 'b' })).toMatchObject({ created: true });
    });

    it('cannot be deleted while a study that names them has not ended', async () => {
      for (const id of ['a', 'b']) await create(id);
      await createStudy('s', ['artifacts/a']);
      await expect(store.deleteArtifact('artifacts/a')).rejects.toThrow(StateError);
      await expect(store.deleteArtifact('artifacts/a')).rejects.toThrow(/studies\/s, which names it/);
      await store.deleteArtifact('artifacts/b');
      await store.cancelStudy('studies/s');
      await store.deleteArtifact('artifacts/a');
      expect(await store.getArtifact('artifacts/a')).toBeUndefined();
    });

    it('that are not there cannot be named by a new study, of which nothing stays', async () => {
      await create('a');
      await store.deleteArtifact('artifacts/a');
      for (const name of ['artifacts/a', 'artifacts/none']) {
        await expect(createStudy('s', [name])).rejects.toThrow(NotFoundError);
      }
      expect(await store.getStudy('studies/s')).toBeUndefined();
    });
  });
}
