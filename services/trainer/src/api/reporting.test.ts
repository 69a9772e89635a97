import {
  Estimator,
  Grouping,
  RunMode,
  Scale,
  Study,
  StudyState,
  Trial,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import {
  ReportHypergradientsRequest,
  type ReportHypergradientsResponse,
} from '@glocal/proto/glocal/v1/study_service';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Seats } from '../drive/seats.ts';
import { EventHub } from '../events/hub.ts';
import { NotFoundError, StateError } from '../resource/errors.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import type { Call } from './call.ts';
import { type ReportingParts, reporting } from './reporting.ts';

const STUDY = 'studies/e';
const TRIAL = `${STUDY}/trials/0`;

let store: SqliteStore;
let hub: EventHub;
let gone: AbortController;

beforeEach(async () => {
  store = SqliteStore.inMemory();
  hub = new EventHub();
  gone = new AbortController();
  const float = { min: 0, max: 1, initial: 0.5, scale: Scale.LINEAR, grouping: Grouping.NONE };
  await store.createStudy({
    study: Study.fromPartial({
      ...{ name: STUDY, state: StudyState.ACTIVE, mode: RunMode.EXTERNAL, training: { steps: 20 } },
      space: { parameters: [{ name: 'rate', kind: { $case: 'float', value: float } }] },
      method: { estimator: Estimator.MEAN, window: 10, sigma: 2, dmd: {}, outer: { rate: 1 } },
    }),
    trials: [
      Trial.fromPartial({ name: TRIAL, state: TrialState.PENDING, values: [{ name: 'rate', value: 0.5 }] }),
    ],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 1,
  });
});
afterEach(async () => {
  gone.abort();
  await store.close();
});

const found = <T>(value: T | undefined): T => {
  if (value === undefined) throw new NotFoundError(TRIAL);
  return value;
};

/** What a client is told that has begun. @param startReporting of the store */
function begun(
  startReporting: ReportingParts['store']['startReporting'],
): AsyncIterator<ReportHypergradientsResponse> {
  const slow = new Proxy(store, {
    get: (target, key) => {
      const value = key === 'startReporting' ? startReporting : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { reportHypergradients } = reporting({
    ...{ store: slow, hub, seats: new Seats(1) },
    dmd: {} as ReportingParts['dmd'],
    getStudy: async (name) => found(await store.getStudy(name)),
    getTrial: async (name) => found(await store.getTrial(name)),
  });
  const call = { signal: gone.signal, stopping: new AbortController().signal } as Call;
  const responses = reportHypergradients(requests(), call) as AsyncIterable<ReportHypergradientsResponse>;
  return responses[Symbol.asyncIterator]();
}

/** A start, and then nothing until the client goes. */
async function* requests(): AsyncGenerator<ReportHypergradientsRequest> {
  yield ReportHypergradientsRequest.fromPartial({ request: { $case: 'start', value: { trial: TRIAL } } });
  await new Promise<void>((resolve) => gone.signal.addEventListener('abort', () => resolve()));
}

it('takes a trial up whose creation another server tells of only now', async () => {
  const answers = begun(async (name) => {
    hub.changed(STUDY);
    // Time to look at the trial, which does not run yet.
    await new Promise((resolve) => setTimeout(resolve, 20));
    return store.startReporting(name);
  });
  expect((await answers.next()).value).toMatchObject({ response: { $case: 'position' } });
  const next = answers.next();
  const first = await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 50, 'waits'))]);
  expect(first).toBe('waits');
  gone.abort(new Error('the caller has gone'));
  await next.catch(() => {});
});

it('tells a client that waits that its trial has been paused elsewhere', async () => {
  const answers = begun((name) => store.startReporting(name));
  expect((await answers.next()).value).toMatchObject({ response: { $case: 'position' } });
  const next = answers.next();
  await store.pauseStudy(STUDY);
  hub.changed(STUDY);
  await expect(next).rejects.toThrow(StateError);
});
