import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CheckpointRoot } from '../checkpoint/kept.ts';
import { EventHub } from '../events/hub.ts';
import { FolderObjects } from '../objects/folder.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import { removeExpired } from './retention.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

let store: SqliteStore;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glocal-retention-'));
  store = SqliteStore.inMemory();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const parts = () => ({
  store,
  hub: new EventHub(),
  checkpoints: new CheckpointRoot(new FolderObjects(folder)),
  log: pino({ level: 'silent' }),
});

/** A study that FAILED and keeps a checkpoint, or one that goes on. */
async function create(id: string, ends: boolean): Promise<void> {
  const trial = `studies/${id}/trials/0`;
  await store.createStudy({
    study: Study.fromPartial({ name: `studies/${id}`, state: StudyState.ACTIVE }),
    trials: [Trial.fromPartial({ name: trial, state: TrialState.PENDING })],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 9,
  });
  mkdirSync(join(folder, id, '0'), { recursive: true });
  if (!ends) return;
  const { claim } = await store.startTrial(trial);
  await store.endTrial(claim, { state: TrialState.FAILED, reason: 'no memory' });
  await new Promise((resolve) => setTimeout(resolve, 3));
}

const left = async () =>
  (await store.listStudies({ limit: 9 })).records.map(({ name }) => name.slice('studies/'.length));

describe('retention', () => {
  beforeEach(async () => {
    for (const id of ['a', 'b', 'c']) await create(id, true);
    await create('d', false);
  });

  it('keeps the studies that ended last, and all that have not ended, with their checkpoints', async () => {
    expect(await removeExpired(parts(), { keepStudies: 1, keepDays: undefined }, new Date())).toBe(2);
    expect(await left()).toEqual(['d', 'c']);
    expect(['a', 'b', 'c', 'd'].map((id) => existsSync(join(folder, id)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it('keeps studies for some days after they have ended', async () => {
    const rules = { keepStudies: undefined, keepDays: 2 };
    const at = (days: number) => new Date(Date.now() + days * DAY_MS);
    expect(await removeExpired(parts(), rules, at(1.9))).toBe(0);
    expect(await removeExpired(parts(), rules, at(2.1))).toBe(3);
    expect(await left()).toEqual(['d']);
  });
});
