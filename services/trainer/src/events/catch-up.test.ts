import { Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreUnavailableError } from '../store/errors.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import { keepCatchingUp } from './catch-up.ts';
import { EventHub, type Subscription } from './hub.ts';

const STUDY = 'studies/a';
const TRIAL = `${STUDY}/trials/0`;
const never = new AbortController().signal;

let store: SqliteStore;
let hub: EventHub;
let catchingUp: Disposable;
beforeEach(async () => {
  store = SqliteStore.inMemory();
  hub = new EventHub();
  await store.createStudy({
    study: Study.fromPartial({ name: STUDY, state: StudyState.ACTIVE }),
    trials: [Trial.fromPartial({ name: TRIAL, state: TrialState.PENDING })],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 9,
  });
});
afterEach(async () => {
  catchingUp[Symbol.dispose]();
  vi.restoreAllMocks();
  await store.close();
});

/** One that has been told of everything up to now, by the store as well. */
async function watched(): Promise<Subscription> {
  const asked = vi.spyOn(store, 'lastSequences');
  const subscription = hub.subscribe(STUDY);
  catchingUp = keepCatchingUp({ store, hub, log: pino({ level: 'silent' }) }, 1);
  // What was answered before the second question is known when that is asked.
  await vi.waitUntil(() => asked.mock.calls.length > 1);
  subscription.takeStored();
  return subscription;
}

describe('catching up', () => {
  it('wakes for what nobody has told of, once', async () => {
    const subscription = await watched();
    await store.startTrial(TRIAL);
    await subscription.news(never);
    expect(subscription.takeStored()).toBe(true);
    const asked = vi.mocked(store.lastSequences).mock.calls.length;
    await vi.waitUntil(() => vi.mocked(store.lastSequences).mock.calls.length > asked + 2);
    expect(subscription.takeStored()).toBe(false);
  });

  it('tells that a study was deleted', async () => {
    const subscription = await watched();
    await store.cancelStudy(STUDY);
    await store.deleteStudy(STUDY);
    await vi.waitUntil(() => subscription.feed.removed);
    await subscription.news(never);
  });

  it('asks nothing while nobody watches', async () => {
    const subscription = await watched();
    subscription[Symbol.dispose]();
    const asked = vi.mocked(store.lastSequences);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = asked.mock.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked.mock.calls.length).toBe(before);
  });

  it('goes on after a store that was away', async () => {
    const subscription = await watched();
    vi.mocked(store.lastSequences).mockRejectedValueOnce(new StoreUnavailableError('away'));
    await store.startTrial(TRIAL);
    await subscription.news(never);
    expect(subscription.takeStored()).toBe(true);
  });
});
