import { OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { Artifact } from '@glocal/proto/glocal/v1/study_service';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NewStudy, Store } from '../store.ts';
import { PostgresStore } from './store.ts';
import { TEST_PASSWORD, TestPostgres } from './testing.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await TestPostgres.start();
});
afterAll(() => postgres[Symbol.asyncDispose]());

let url: string;
let stores: [Store, Store];
beforeEach(async () => {
  url = await postgres.newDatabase();
  const open = () => PostgresStore.open(url, { sessions: 6, statementMs: 20_000 });
  stores = [await open(), await open()];
});
afterEach(() => Promise.all(stores.map((store) => store.close())));

/** Of two servers that share a database, one after the other. */
const storeFor = (i: number): Store => stores[i % 2] as Store;
const range = (length: number) => Array.from({ length }, (_, i) => i);
/** Made through both at once; how each ended. */
const atOnce = (count: number, make: (store: Store, i: number) => Promise<unknown>) =>
  Promise.allSettled(range(count).map((i) => make(storeFor(i), i)));
const succeeded = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.filter(({ status }) => status === 'fulfilled').length;
const reasonsOf = (results: readonly PromiseSettledResult<unknown>[]) => [
  ...new Set(results.flatMap((result) => (result.status === 'rejected' ? [result.reason.name] : []))),
];

const trialName = (id: string, number = 0) => `studies/${id}/trials/${number}`;
const create = (
  store: Store,
  id: string,
  { trials = 1, ...rest }: { trials?: number } & Partial<Omit<NewStudy, 'trials'>> = {},
) =>
  store.createStudy({
    study: Study.fromPartial({ name: `studies/${id}`, owner: 'ann', state: StudyState.ACTIVE }),
    trials: range(trials).map((i) =>
      Trial.fromPartial({ name: trialName(id, i), state: TrialState.PENDING }),
    ),
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 1_000,
    ...rest,
  });
const SUCCEEDED = { state: TrialState.SUCCEEDED, reason: 'all steps done' } as const;

/** Sequences of a study's events, which must have no gap. */
async function expectNoGap(id: string): Promise<number> {
  const { records } = await storeFor(0).listEvents(`studies/${id}`, { limit: 10_000 });
  const sequences = records.map(({ sequence }) => sequence);
  expect(sequences).toEqual(range(sequences.length).map((i) => i + 1));
  return sequences.length;
}

describe('two servers with one database', () => {
  it('claim each trial once', async () => {
    await create(storeFor(0), 'a', { trials: 20 });
    const claims = await atOnce(80, (store, i) => store.startTrial(trialName('a', i >> 2)));
    expect(reasonsOf(claims)).toEqual(['StateError']);
    expect(succeeded(claims)).toBe(20);
    expect(await expectNoGap('a')).toBe(21);
  });

  it('store what happens to the trials of a study as one sequence of events', async () => {
    const trials = 8;
    await create(storeFor(0), 'a', { trials });
    await Promise.all(
      range(trials).map(async (number) => {
        const name = trialName('a', number);
        const { claim } = await storeFor(number).startTrial(name);
        for (const i of range(10)) {
          const index = i + 1;
          const outerStep = OuterStep.fromPartial({
            name: `${name}/outerSteps/${index}`,
            index,
            step: index,
          });
          await storeFor(number + i).addOuterStep(claim, outerStep);
        }
        await storeFor(number).endTrial(claim, SUCCEEDED);
      }),
    );
    // Of each trial its start, its outer steps and its end, and of the study its creation and its end.
    expect(await expectNoGap('a')).toBe(trials * 12 + 2);
    expect((await storeFor(1).getStudy('studies/a'))?.state).toBe(StudyState.COMPLETED);
  });

  it.each([
    ['in all', 'ActiveStudiesError', { maxActiveStudies: 10 }],
    ['of one owner', 'OwnerActiveStudiesError', { maxOwnerActiveStudies: 10 }],
    ['that are kept', 'StudiesError', { maxStudies: 10 }],
  ])('make as many studies %s as may be, and not one more', async (_, refusal, limits) => {
    const made = await atOnce(40, (store, i) => create(store, `s${i}`, limits));
    expect(succeeded(made)).toBe(10);
    expect(reasonsOf(made)).toEqual([refusal]);
    expect((await storeFor(0).listStudies({ limit: 100 })).records).toHaveLength(10);
    await storeFor(0).cancelStudy((await storeFor(0).listStudies({ limit: 1 })).records[0]?.name ?? '');
    if (refusal === 'StudiesError') return;
    expect(succeeded(await atOnce(6, (store, i) => create(store, `t${i}`, limits)))).toBe(1);
  });

  it('let as many studies go on as may be', async () => {
    for (const i of range(12)) {
      await create(storeFor(i), `s${i}`);
      await storeFor(i).pauseStudy(`studies/s${i}`);
    }
    const resumed = await atOnce(12, (store, i) =>
      store.resumeStudy({ name: `studies/s${i}`, points: [], maxActiveStudies: 5 }),
    );
    expect(succeeded(resumed)).toBe(5);
    expect((await storeFor(0).countStates()).studies).toMatchObject({ ACTIVE: 5, PAUSED: 7 });
  });

  it('end a study once, when its last trials end at once', async () => {
    for (const i of range(10)) {
      const id = `s${i}`;
      await create(storeFor(0), id, { trials: 2 });
      const claims = await Promise.all(
        [0, 1].map((number) => storeFor(number).startTrial(trialName(id, number))),
      );
      await Promise.all(claims.map(({ claim }, number) => storeFor(number).endTrial(claim, SUCCEEDED)));
      expect((await storeFor(0).getStudy(`studies/${id}`))?.state).toBe(StudyState.COMPLETED);
      expect(await expectNoGap(id)).toBe(6);
    }
  });

  it('make one study for one request id', async () => {
    const made = await atOnce(20, (store, i) => create(store, `s${i}`, { requestId: 'once' }));
    expect(succeeded(made)).toBe(20);
    expect((await storeFor(0).listStudies({ limit: 100 })).records).toHaveLength(1);
    const otherwise = { requestId: 'once', fingerprint: Buffer.of(2) };
    expect(reasonsOf(await atOnce(2, (store, i) => create(store, `t${i}`, otherwise)))).toEqual([
      'RequestIdReusedError',
    ]);
  });

  it('refuse a study among others that they make together, and only that', async () => {
    await create(storeFor(0), 's3');
    const made = await atOnce(20, (store, i) => create(store, `s${i}`));
    expect(succeeded(made)).toBe(19);
    expect((await storeFor(0).countStates()).studies).toMatchObject({ ACTIVE: 20 });
  });

  it('keep one artifact of one content', async () => {
    const made = await atOnce(12, (store, i) =>
      store.createArtifact({
        artifact: Artifact.fromPartial({ name: `artifacts/a${i}`, owner: 'ann', size: 5n }),
        digest: Buffer.of(1),
        description: '{}',
      }),
    );
    expect(succeeded(made)).toBe(12);
    expect(await storeFor(0).artifactBytes('ann')).toBe(5n);
  });

  it('make a study or delete the artifact that it names, and never both', async () => {
    for (const i of range(10)) {
      const name = `artifacts/a${i}`;
      const artifact = Artifact.fromPartial({ name, owner: 'ann', size: 5n });
      await storeFor(0).createArtifact({ artifact, digest: Buffer.of(i), description: '{}' });
      const [made, deleted] = await Promise.allSettled([
        create(storeFor(0), `s${i}`, { artifacts: [name] }),
        storeFor(1).deleteArtifact(name),
      ]);
      expect([made, deleted].filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }
  });

  it('make a transaction again that was in the way of another one', async () => {
    await create(storeFor(0), 'a');
    await storeFor(0).pauseStudy('studies/a');
    const other = new Client({ connectionString: url });
    await other.connect();
    await other.query("SET search_path = glocal; SET deadlock_timeout = '60s'; BEGIN");
    // What makes studies holds this, and comes to the study; what resumes one has it the other way round.
    await other.query('SELECT pg_advisory_xact_lock(7129060411)');
    const resumed = storeFor(0).resumeStudy({ name: 'studies/a', points: [], maxActiveStudies: 5 });
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory'";
    while ((await postgres.run(waiting)).length === 0);
    const locked = other.query("SELECT id FROM studies WHERE name = 'studies/a' FOR UPDATE");
    await locked;
    await other.query('COMMIT');
    await other.end();
    expect((await resumed).study.state).toBe(StudyState.ACTIVE);
    expect(await expectNoGap('a')).toBe(5);
  });

  it('never give a password away', async () => {
    expect(JSON.stringify(stores)).not.toContain(TEST_PASSWORD);
  });
});
