import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseDatabase } from '../config/database.ts';
import { openNotices } from '../store/notices.ts';
import { newClient } from '../store/postgres/session.ts';
import { TestPostgres } from '../store/postgres/testing.ts';
import type { Notice } from './notice.ts';
import type { Notices, Origin } from './notices.ts';
import { PostgresNotices } from './postgres.ts';

const TRIAL = 'studies/a/trials/0';
const changed = (study = 'studies/a'): Notice => ({ kind: 'changed', study });

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await TestPostgres.start();
});
afterAll(() => postgres[Symbol.asyncDispose]());

let url: string;
let open: Notices[];
let logged: string[];
beforeEach(async () => {
  url = await postgres.newDatabase();
  open = [];
  logged = [];
});
afterEach(() => Promise.all(open.map((notices) => notices.close())));

/** The notices of one process, and what is heard there. */
async function start() {
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
  const notices = await openNotices(url, {}, log);
  open.push(notices);
  const heard: [Notice, Origin][] = [];
  notices.subscribe((notice, origin) => heard.push([notice, origin]));
  const elsewhere = () => heard.filter(([, origin]) => origin === 'elsewhere').map(([notice]) => notice);
  return { notices, heard, elsewhere };
}

const endSessions = (which = "query LIKE '%LISTEN%' OR query LIKE '%pg_notify%'") =>
  postgres.run(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'glocal-trainer' AND pid <> pg_backend_pid() AND (${which})`,
    url,
  );

describe('notices by way of a database', () => {
  it('come to every process once, and to their own at once', async () => {
    const [one, other, third] = [await start(), await start(), await start()];
    const all: Notice[] = [
      changed(),
      { kind: 'halted', study: 'studies/a' },
      { kind: 'progressed', progress: { trial: TRIAL, stepsDone: 5, steps: 10 } },
      { kind: 'seat', trial: TRIAL, number: 3 },
      { kind: 'drive', trial: TRIAL },
    ];
    for (const notice of all) one.notices.publish(notice);
    expect(one.heard).toEqual(all.map((notice) => [notice, 'here']));
    other.notices.publish({ kind: 'work', study: 'studies/b' });
    await vi.waitUntil(() => third.heard.length > all.length);
    expect(other.elsewhere()).toEqual(all);
    expect(third.elsewhere()).toEqual(expect.arrayContaining([...all, { kind: 'work', study: 'studies/b' }]));
    expect(one.elsewhere()).toEqual([{ kind: 'work', study: 'studies/b' }]);
  });

  it('about the same are told together, and as many as there are of different ones', async () => {
    const [one, other] = [await start(), await start()];
    for (let i = 0; i < 1_000; i++) one.notices.publish(changed());
    const studies = Array.from({ length: 1_000 }, (_, i) => `studies/${i}`);
    for (const study of studies) one.notices.publish(changed(study));
    await vi.waitUntil(() => other.heard.length >= studies.length);
    const told = other.elsewhere().map((notice) => ('study' in notice ? notice.study : notice.kind));
    expect(told.filter((study) => study === 'studies/a').length).toBeLessThan(5);
    expect(new Set(told)).toEqual(new Set(['studies/a', ...studies]));
  });

  it('go on after their session was lost, when everything counts as changed', async () => {
    const [one, other] = [await start(), await start()];
    await endSessions();
    await vi.waitUntil(() => [one, other].every(({ heard }) => heard.length > 0), 20_000);
    expect(other.elsewhere()).toContainEqual({ kind: 'everything' });
    expect(logged.join()).toMatch(/are not heard for now/);
    one.notices.publish(changed());
    await vi.waitUntil(() => other.elsewhere().some(({ kind }) => kind === 'changed'));
  });

  it('are heard again after the database was away', async () => {
    const [one, other] = [await start(), await start()];
    await postgres.stop();
    await postgres.start();
    const everything = { kind: 'everything' } as const;
    await vi.waitUntil(
      () => [one, other].every(({ elsewhere }) => elsewhere().some(({ kind }) => kind === 'everything')),
      20_000,
    );
    one.notices.publish(changed());
    await vi.waitUntil(() => other.heard.length > 1);
    expect(other.elsewhere()).toEqual([everything, changed()]);
  });

  it('that cannot be told yet are told later', async () => {
    let away = true;
    const session = { database: parseDatabase(url), sessions: 1, statementMs: 10_000 };
    const notices = await PostgresNotices.open({
      newClient: () => (away ? Promise.reject(new Error('away')) : newClient(session)),
      log: pino({ level: 'silent' }),
    });
    open.push(notices);
    notices.publish(changed());
    const other = await start();
    away = false;
    await vi.waitUntil(() => other.heard.length > 0, 20_000);
    expect(other.elsewhere()).toEqual([changed()]);
  });

  it('are all told before they are closed, and none after', async () => {
    const [one, other] = [await start(), await start()];
    one.notices.publish(changed());
    await one.notices.close();
    one.notices.publish(changed('studies/b'));
    await vi.waitUntil(() => other.heard.length > 0);
    await other.notices.close();
    expect(other.elsewhere()).toEqual([changed()]);
    expect(await endSessions('true')).toEqual([]);
  });
});
