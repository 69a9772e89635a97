import { Study } from '@glocal/proto/glocal/v1/study';
import { beforeEach, expect, it } from 'vitest';
import type { Store } from '../store/store.ts';
import { Owners } from './owners.ts';

let asked: string[];
let owners: Owners;
beforeEach(() => {
  asked = [];
  const store: Pick<Store, 'getStudy' | 'getDeleted' | 'getArtifact' | 'deletedArtifactOwner'> = {
    getStudy: async (name) => {
      asked.push(name);
      if (name === 'studies/none' || name === 'studies/deleted') return undefined;
      return Study.fromPartial({ name, owner: `owner of ${name}` });
    },
    getDeleted: async (name) => (name === 'studies/deleted' ? { name, owner: 'ada' } : undefined),
    getArtifact: async () => undefined,
    deletedArtifactOwner: async (name) => (name === 'artifacts/deleted' ? 'bob' : undefined),
  };
  owners = new Owners(store);
});

it('a study, its trials and their outer steps have one owner, who is looked up once', async () => {
  for (const name of ['studies/a', 'studies/a/trials/0', 'studies/a/trials/0/outerSteps/3']) {
    expect(await owners.of(name)).toBe('owner of studies/a');
  }
  expect(asked).toEqual(['studies/a']);
});

it('what was deleted is still whose it was', async () => {
  expect(await owners.of('studies/deleted')).toBe('ada');
  expect(await owners.of('studies/deleted/trials/0')).toBe('ada');
  expect(await owners.of('artifacts/deleted')).toBe('bob');
});

it('what there is not may come to be: it is looked up each time', async () => {
  expect(await owners.of('studies/none')).toBeUndefined();
  expect(await owners.of('studies/none')).toBeUndefined();
  expect(asked).toHaveLength(2);
});

it('owners of the studies that were asked about last are remembered', async () => {
  await owners.of('studies/first');
  await owners.of('studies/second');
  await owners.of('studies/first');
  for (let i = 0; i < 9_999; i += 1) await owners.of(`studies/${i}`);
  asked = [];
  await owners.of('studies/first');
  await owners.of('studies/second');
  expect(asked).toEqual(['studies/second']);
});
