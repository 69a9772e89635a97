import { Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { NotFoundError } from '../../resource/errors.ts';
import { openStore } from '../open.ts';
import { DELETED_TOGETHER } from './deletions.ts';
import { TestPostgres } from './testing.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await TestPostgres.start();
});
afterAll(() => postgres[Symbol.asyncDispose]());

const STEPS = 3 * DELETED_TOGETHER;

/** A database with one study that has ended, of one trial with many outer steps. It notes how many rows each statement deletes. */
async function filled(): Promise<string> {
  const url = await postgres.newDatabase();
  const store = await openStore(url);
  const name = 'studies/a';
  await store.createStudy({
    study: Study.fromPartial({ name, state: StudyState.ACTIVE }),
    trials: [Trial.fromPartial({ name: `${name}/trials/0`, state: TrialState.PENDING })],
    ...{ requestId: '', fingerprint: Buffer.from(''), maxActiveStudies: 10 },
  });
  await store.cancelStudy(name);
  await store.close();
  await postgres.run(
    `SET search_path = glocal;
     INSERT INTO outer_steps (trial, number, epoch, record, large)
       SELECT id, n, 1, '', '' FROM trials, generate_series(1, ${STEPS}) AS n;
     INSERT INTO events (study, sequence, record) SELECT id, 1000 + n, '' FROM studies, generate_series(1, ${STEPS}) AS n;
     CREATE TABLE deleted (what text, n bigint);
     CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       INSERT INTO glocal.deleted SELECT TG_TABLE_NAME, count(*) FROM gone; RETURN NULL; END $$;
     CREATE TRIGGER noted AFTER DELETE ON outer_steps REFERENCING OLD TABLE AS gone EXECUTE FUNCTION note();
     CREATE TRIGGER noted AFTER DELETE ON events REFERENCING OLD TABLE AS gone EXECUTE FUNCTION note();`,
    url,
  );
  return url;
}

const left = async (url: string) =>
  (
    await postgres.run(
      `SELECT (SELECT count(*) FROM glocal.outer_steps) + (SELECT count(*) FROM glocal.events)
         + (SELECT count(*) FROM glocal.deleted_rows) AS n`,
      url,
    )
  )[0]?.n;

const untilNoneIsLeft = (url: string) =>
  vi.waitUntil(async () => (await left(url)) === '0', { timeout: 120_000, interval: 20 });

it('a study is gone at once, and its rows a little at a time, however many there are', async () => {
  const url = await filled();
  const store = await openStore(url);
  await store.deleteStudy('studies/a');
  expect(await store.getStudy('studies/a')).toBeUndefined();
  expect(await store.getDeleted('studies/a')).toBeDefined();
  expect((await store.listOuterSteps('studies/a/trials/0', { limit: 10 })).records).toEqual([]);
  await expect(store.deleteStudy('studies/a')).rejects.toThrow(NotFoundError);
  await untilNoneIsLeft(url);
  const [most] = await postgres.run(
    'SELECT max(n) AS most, count(DISTINCT what) AS tables, sum(n) AS all FROM glocal.deleted',
    url,
  );
  expect(most).toMatchObject({ tables: '2' });
  expect(Number(most?.all)).toBeGreaterThanOrEqual(2 * STEPS);
  expect(Number(most?.most), 'rows that one statement deletes').toBeLessThanOrEqual(DELETED_TOGETHER);
  await store.close();
}, 240_000);

it('what a process has left of a study, the next one deletes', async () => {
  const url = await filled();
  await postgres.run(
    `SET search_path = glocal;
     INSERT INTO deleted_rows (study, trial) SELECT study, id FROM trials;
     INSERT INTO deleted_rows (study) SELECT id FROM studies; DELETE FROM studies;`,
    url,
  );
  const store = await openStore(url);
  await untilNoneIsLeft(url);
  await store.close();
}, 240_000);
