/** Copies of studies are what the store makes of them, under their own names. */

import { StudyState, TrialState } from '@glocal/proto/glocal/v1/study';
import { openStore, type Store } from '@glocal/trainer/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestPostgres } from '../../support/postgres.ts';
import { fill } from './fill.ts';
import { LONG, makeTemplates, type Template } from './templates.ts';

const COPIES = 3;

const written = (value: unknown): string =>
  JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? `${field}n` : field));

const cleanUp = new AsyncDisposableStack();
let store: Store;
let ended: Template;
/** Of all copies. */
let copies: string[];

beforeAll(async () => {
  const postgres = cleanUp.use(await TestPostgres.start());
  const url = await postgres.newDatabase();
  store = cleanUp.adopt(await openStore(url), (opened) => opened.close());
  const templates = await makeTemplates(store);
  ended = templates.ended;
  const all = [ended, templates.active].map((template) => ({ template, copies: COPIES }));
  await fill(postgres, url, all, () => {});
  const { records } = await store.listStudies({ limit: 100 });
  const made = new Set([ended.name, templates.active.name]);
  copies = records.map(({ name }) => name).filter((name) => !made.has(name));
}, 300_000);
afterAll(() => cleanUp.disposeAsync());

it('each has a name of its own, which its records know', async () => {
  expect(new Set(copies).size).toBe(2 * COPIES);
  for (const name of copies) {
    expect((await store.getStudy(name))?.name).toBe(name);
    expect((await store.getTrial(`${name}/trials/3`))?.name).toBe(`${name}/trials/3`);
  }
});

it('outer steps and events are those of the study that was copied', async () => {
  const states = await Promise.all(copies.map((name) => store.getStudy(name)));
  const copy = states.find((study) => study?.state === StudyState.COMPLETED)?.name ?? '';
  const read = async (name: string) => {
    const trial = `${name}/trials/1`;
    const { records: outerSteps } = await store.listOuterSteps(trial, { limit: 100, windows: true });
    const { records: events } = await store.listEvents(name, { limit: 1_000 });
    return { outerSteps, events };
  };
  const renamed = (value: unknown) => written(value).replaceAll(ended.name, copy);
  const [original, copied] = [await read(ended.name), await read(copy)];
  expect(copied.outerSteps).toHaveLength(LONG);
  expect(written(copied)).toBe(renamed(original));
});

it('what waits can be claimed, trained and ended, and what has ended deleted', async () => {
  const worker = { worker: 'w', leaseMs: 60_000, except: [] };
  const claimed: string[] = [];
  for (;;) {
    const started = await store.claimTrial({ ...worker, holding: claimed });
    if (started === undefined) break;
    claimed.push(started.claim.trial);
    await store.endTrial(started.claim, { state: TrialState.SUCCEEDED, reason: 'all steps done' });
  }
  // Of each copy of the study that has not ended, and of that study.
  expect(claimed).toHaveLength(5 * (COPIES + 1));
  const expired = await store.listExpired({ keep: 0, limit: 100 });
  expect(expired).toHaveLength(2 * (COPIES + 1));
  for (const name of expired) await store.deleteStudy(name);
  expect((await store.listStudies({ limit: 9 })).records).toEqual([]);
});
