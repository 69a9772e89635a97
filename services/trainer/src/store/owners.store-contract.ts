/** What every store must have to do with owners; a part of `store-contract.ts`. */

import { Study, StudyState, Trial } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { OwnerActiveStudiesError, RequestIdReusedError } from './errors.ts';
import type { Store } from './store.ts';

/** @param current the store under test, which is empty. */
export function ownersContract(current: () => Store): void {
  describe('owners', () => {
    const create = (
      owner: string,
      id: string,
      {
        requestId = '',
        fingerprint = 'same',
        own,
        trials = [],
      }: { requestId?: string; fingerprint?: string; own?: number; trials?: readonly Trial[] } = {},
    ) =>
      current().createStudy({
        study: Study.fromPartial({ name: `studies/${id}`, owner, state: StudyState.ACTIVE }),
        trials,
        requestId,
        fingerprint: Buffer.from(fingerprint),
        maxActiveStudies: 100,
        maxOwnerActiveStudies: own,
      });
    const listed = async (page: {
      readonly owner?: string;
      readonly after?: string;
      readonly limit: number;
    }) => {
      const { records, more } = await current().listStudies(page);
      return { names: records.map(({ name }) => name), more };
    };

    it('have request ids of their own', async () => {
      const first = await create('ada', 'a', { requestId: 'r' });
      expect(await create('bob', 'b', { requestId: 'r', fingerprint: 'other' })).toMatchObject({
        created: true,
      });
      expect(await create('ada', 'c', { requestId: 'r' })).toEqual({ ...first, created: false });
      await expect(create('ada', 'd', { requestId: 'r', fingerprint: 'other' })).rejects.toThrow(
        RequestIdReusedError,
      );
    });

    it('have a number of active studies each, except for a repeated request', async () => {
      await create('ada', 'a', { requestId: 'r' });
      await expect(create('ada', 'b', { own: 1 })).rejects.toThrow(OwnerActiveStudiesError);
      expect(await create('ada', 'b', { own: 1, requestId: 'r' })).toMatchObject({ created: false });
      expect(await create('bob', 'c', { own: 1 })).toMatchObject({ created: true });
      await current().cancelStudy('studies/a');
      expect(await create('ada', 'd', { own: 1 })).toMatchObject({ created: true });
    });

    it('have their studies listed, newest first, in pages', async () => {
      for (const [i, owner] of ['ada', 'bob', 'ada', '', 'ada'].entries()) await create(owner, `s${i}`);
      expect(await listed({ owner: 'ada', limit: 2 })).toEqual({
        names: ['studies/s4', 'studies/s2'],
        more: true,
      });
      const rest = { owner: 'ada', after: 'studies/s2', limit: 2 };
      expect(await listed(rest)).toEqual({ names: ['studies/s0'], more: false });
      expect(await listed({ owner: '', limit: 9 })).toEqual({ names: ['studies/s3'], more: false });
      expect(await listed({ owner: 'nobody', limit: 9 })).toEqual({ names: [], more: false });
      expect((await listed({ limit: 9 })).names).toHaveLength(5);
    });

    it('have the trials of all their studies listed', async () => {
      for (const [i, owner] of ['ada', 'bob', 'ada'].entries()) {
        const trials = [Trial.fromPartial({ name: `studies/s${i}/trials/0` })];
        await create(owner, `s${i}`, { trials });
      }
      const { records } = await current().listAllTrials({ owner: 'ada', limit: 9 });
      expect(records.map(({ name }) => name)).toEqual(['studies/s2/trials/0', 'studies/s0/trials/0']);
      const rest = await current().listAllTrials({
        ...{ owner: 'ada', limit: 9 },
        after: { study: 'studies/s1', trial: 0 },
      });
      expect(rest.records.map(({ name }) => name)).toEqual(['studies/s0/trials/0']);
    });
  });
}
