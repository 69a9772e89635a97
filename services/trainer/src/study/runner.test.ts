import { Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventHub } from '../events/hub.ts';
import { SqliteStore } from '../store/sqlite.ts';
import { Runner } from './runner.ts';

let store: SqliteStore;
beforeEach(() => {
  store = new SqliteStore(':memory:');
});
afterEach(() => store.close());

/** A runner that starts nothing: what it starts is tested with real training (`test/trainer`). */
const runner = () =>
  new Runner(store, new EventHub(), pino({ level: 'silent' }), {
    maxRunningTrials: 0,
    dmd: { address: '127.0.0.1:1' },
    dmdRetryBudgetMs: 1,
    modelDir: undefined,
    backend: undefined,
  });

/** A stored study with a trial in each of these states. */
async function stored(id: string, state: StudyState, trials: readonly TrialState[]): Promise<Study> {
  const study = Study.fromPartial({ name: `studies/${id}`, state });
  await store.createStudy({
    study,
    trials: trials.map((trial, i) =>
      Trial.fromPartial({ name: `studies/${id}/trials/${i}`, state: trial, stepsDone: 7 }),
    ),
    requestId: '',
    specification: Buffer.of(1),
    maxActiveStudies: 100,
  });
  return study;
}

async function states(id: string) {
  const study = await store.getStudy(`studies/${id}`);
  const trials = await store.listTrials(`studies/${id}`);
  return { study: study?.state, reason: study?.stateReason, trials: trials.map(({ state }) => state) };
}

const { PENDING, RUNNING, SUCCEEDED, FAILED, INFEASIBLE, CANCELLED } = TrialState;

describe('a runner that takes up what an earlier server left', () => {
  it('fails the trials that ran, and keeps what they had done', async () => {
    await stored('a', StudyState.ACTIVE, [RUNNING]);
    await runner().recover();
    expect(await store.getTrial('studies/a/trials/0')).toMatchObject({
      state: FAILED,
      stateReason: 'the server stopped while the trial was running',
      stepsDone: 7,
      endTime: expect.any(Date),
    });
    expect(await states('a')).toMatchObject({ study: StudyState.FAILED, reason: '0 of 1 trials succeeded' });
  });

  it('lets trials that waited wait again', async () => {
    await stored('a', StudyState.ACTIVE, [RUNNING, PENDING]);
    await runner().recover();
    expect(await states('a')).toMatchObject({ study: StudyState.ACTIVE, trials: [FAILED, PENDING] });
  });

  it('cancels what is left of a cancelled study', async () => {
    await stored('a', StudyState.CANCELLED, [SUCCEEDED, RUNNING, PENDING]);
    await runner().recover();
    expect(await states('a')).toMatchObject({
      study: StudyState.CANCELLED,
      trials: [SUCCEEDED, CANCELLED, CANCELLED],
    });
  });

  it.each<[TrialState[], StudyState, string]>([
    [[SUCCEEDED, FAILED], StudyState.COMPLETED, '1 of 2 trials succeeded'],
    [[INFEASIBLE], StudyState.FAILED, '0 of 1 trials succeeded'],
  ])('ends a study whose trials had all ended: %o', async (trials, state, reason) => {
    await stored('a', StudyState.ACTIVE, trials);
    await runner().recover();
    expect(await states('a')).toEqual({ study: state, reason, trials });
  });

  it('leaves ended studies alone', async () => {
    await stored('a', StudyState.COMPLETED, [SUCCEEDED]);
    await runner().recover();
    expect(await store.listEvents('studies/a', 0, 10)).toHaveLength(1);
  });
});

describe('cancelling a study', () => {
  it('ends its waiting trials, each with an event', async () => {
    const study = await stored('a', StudyState.ACTIVE, [SUCCEEDED, PENDING, PENDING]);
    const running = runner();
    await running.recover();
    const cancelled = await running.cancel(study);
    expect(cancelled).toMatchObject({ state: StudyState.CANCELLED, stateReason: 'cancelled by a caller' });
    expect(await states('a')).toMatchObject({ trials: [SUCCEEDED, CANCELLED, CANCELLED] });
    const events = await store.listEvents('studies/a', 1, 10);
    expect(events.map(({ event }) => event.event?.$case)).toEqual(['study', 'trial', 'trial']);
  });

  it('gives an ended study as it is', async () => {
    const study = await stored('a', StudyState.FAILED, [FAILED]);
    expect(await runner().cancel(study)).toBe(study);
    expect(await store.listEvents('studies/a', 0, 10)).toHaveLength(1);
  });
});
