import { OuterStep, Study, StudyState, Trial, TrialState } from '@glocal/proto/glocal/v1/study';
import { StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import type { Logger } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FieldError, StoppingError } from '../resource/errors.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import type { Claim } from '../store/store.ts';
import { EventLog } from './event-log.ts';
import { EventHub } from './hub.ts';
import { type WatchSignals, watchStudy } from './watch.ts';

const NAME = 'studies/a';
const TRIAL = `${NAME}/trials/0`;
const never = new AbortController().signal;

let store: SqliteStore;
let hub: EventHub;
let log: EventLog;
let logged: unknown[];
const logger = { error: (...line: unknown[]) => logged.push(line) } as unknown as Pick<Logger, 'error'>;
let claim: Claim;
let steps: number;

beforeEach(async () => {
  store = SqliteStore.inMemory();
  hub = new EventHub();
  log = new EventLog(store, 1e6);
  logged = [];
  steps = 0;
  await store.createStudy({
    study: study(StudyState.ACTIVE),
    trials: [trial(TrialState.PENDING)],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 1,
  });
  ({ claim } = await store.startTrial(TRIAL));
});
afterEach(() => store.close());

const study = (state: StudyState) => Study.fromPartial({ name: NAME, state });
const trial = (state: TrialState) => Trial.fromPartial({ name: TRIAL, state });

/** Stores one more outer step, as the supervisor does. */
async function outerStep(): Promise<void> {
  steps += 1;
  await store.addOuterStep(
    claim,
    OuterStep.fromPartial({ name: `${TRIAL}/outerSteps/${steps}`, index: steps }),
  );
  hub.changed(NAME);
}

/** Ends the trial, and with it the study. */
async function end(): Promise<void> {
  await store.endTrial(claim, { state: TrialState.SUCCEEDED, reason: 'done' });
  hub.changed(NAME);
}

async function* watch(
  cursor = '',
  signals: Partial<WatchSignals> = {},
  { name = NAME, maxLag = 0 } = {},
): AsyncGenerator<StudyEvent> {
  const all = { signal: never, stopping: never, ...signals };
  for await (const bytes of watchStudy(
    { store, hub, events: log, log: logger },
    { name, cursor, maxLag },
    all,
  )) {
    yield StudyEvent.decode(bytes);
  }
}
const cursors = (events: readonly StudyEvent[]) => events.map(({ cursor }) => Number(cursor));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe('watchStudy', () => {
  it('tells what was stored, and ends when the study has ended', async () => {
    await outerStep();
    await end();
    const events = await Array.fromAsync(watch());
    expect(events.map(({ event }) => event?.$case)).toEqual([
      'study',
      'trial',
      'outerStep',
      'trial',
      'study',
    ]);
    expect(cursors(events)).toEqual(upTo(5));
  });

  it('tells more than fits into one read of the store', async () => {
    for (let i = 0; i < 250; i++) await outerStep();
    await end();
    expect(cursors(await Array.fromAsync(watch()))).toEqual(upTo(254));
  });

  it('tells everything once and in order to whoever reads while it happens, at whatever pace', async () => {
    const readers = [0, 1, 3].map(async (pause) => {
      const events: StudyEvent[] = [];
      for await (const event of watch()) {
        events.push(event);
        for (let i = 0; i < pause; i++) await new Promise((resolve) => setImmediate(resolve));
      }
      return events;
    });
    for (let i = 0; i < 120; i++) {
      await outerStep();
      if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await end();
    for (const events of await Promise.all(readers)) expect(cursors(events)).toEqual(upTo(124));
  });

  it.each([0, 1, 3])('goes on after cursor %i', async (cursor) => {
    await outerStep();
    await end();
    expect(cursors(await Array.fromAsync(watch(String(cursor))))).toEqual(upTo(5).slice(cursor));
  });

  it('tells progress to who watches, at the cursor of the last stored event, and each once', async () => {
    const events = watch();
    expect((await events.next()).value.event.$case).toBe('study');
    expect((await events.next()).value.event.$case).toBe('trial');
    const report = { trial: TRIAL, stepsDone: 5, steps: 10 };
    hub.progressed(report);
    const { value } = await events.next();
    expect(value).toMatchObject({ cursor: '2', event: { $case: 'progress', value: report } });
    await end();
    const rest = await Array.fromAsync(events);
    expect(rest.map(({ event }) => event?.$case)).toEqual(['trial', 'study']);
  });

  it('ends when a study was cancelled, after its trials', async () => {
    await store.cancelStudy(NAME);
    const events = await Array.fromAsync(watch('2'));
    expect(events.map(({ event }) => event?.$case)).toEqual(['study', 'trial']);
    expect(events.at(-1)?.event).toMatchObject({ value: { state: TrialState.CANCELLED } });
  });

  it('ends when the watcher has gone', async () => {
    const leave = new AbortController();
    const events = watch('', { signal: leave.signal });
    await events.next();
    await events.next();
    const waiting = events.next();
    leave.abort();
    expect((await waiting).done).toBe(true);
  });

  it('tells what is stored, and then says that the server is stopping', async () => {
    const stop = new AbortController();
    const events = watch('', { stopping: stop.signal });
    await events.next();
    await events.next();
    const waiting = events.next();
    await outerStep();
    stop.abort();
    expect((await waiting).value.event.$case).toBe('outerStep');
    await expect(events.next()).rejects.toThrow(StoppingError);
  });

  it('does not read the store for progress', async () => {
    const events = watch();
    await events.next();
    await events.next();
    const waiting = events.next();
    await outerStep();
    await waiting;
    const read = vi.spyOn(store, 'listEvents');
    for (let stepsDone = 1; stepsDone <= 5; stepsDone++) {
      const next = events.next();
      hub.progressed({ trial: TRIAL, stepsDone, steps: 10 });
      expect((await next).value.event.value.stepsDone).toBe(stepsDone);
    }
    // What was stored before the first report, once.
    expect(read.mock.calls.length).toBeLessThanOrEqual(1);
  });

  it('leaves out and logs progress that does not fit the contract', async () => {
    const events = watch('2');
    const next = events.next();
    hub.progressed({ trial: TRIAL, stepsDone: 1, steps: 3e9 });
    await vi.waitFor(() => expect(logged).toHaveLength(1));
    await outerStep();
    expect((await next).value.event.$case).toBe('outerStep');
  });

  it('tells of an outer step that passes the message limit without its vectors, and goes on', async () => {
    const values = [{ name: 'classWeights', value: 0.5, values: Array<number>(300_000).fill(0.5) }];
    const hypergradient = Array<number>(300_000).fill(1);
    steps += 1;
    await store.addOuterStep(
      claim,
      OuterStep.fromPartial({
        name: `${TRIAL}/outerSteps/${steps}`,
        index: steps,
        ...{ values, nextValues: values, update: { hypergradient, rate: 0.1 } },
      }),
    );
    await outerStep();
    const events = watch('2');
    const { event } = (await events.next()).value;
    expect(OuterStep.encode(event.value).finish().length).toBeLessThan(1_000);
    expect(event.value).toMatchObject({
      values: [{ name: 'classWeights', value: 0.5, values: [] }],
      update: { hypergradient: [], rate: 0.1 },
    });
    expect((await events.next()).value.event.value.index).toBe(2);
  });

  it('reads and encodes each event once for all who watch', async () => {
    const events = Array.from({ length: 20 }, () => watch('2'));
    const read = vi.spyOn(store, 'listEvents');
    const waiting = events.map((watcher) => watcher.next());
    await vi.waitFor(() => expect(read.mock.calls.length).toBeGreaterThanOrEqual(20));
    read.mockClear();
    await outerStep();
    await Promise.all(waiting);
    expect(read.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it('refuses a cursor beyond the last event: it would wait for ever', async () => {
    await outerStep();
    await expect(watch('4').next()).rejects.toThrow('cursor: "4" is not a cursor of this study');
    const events = watch('2');
    const next = events.next();
    await outerStep();
    expect(cursors([(await next).value])).toEqual([3]);
  });

  it.each(['x', '-1', '1.5', '9'.repeat(16)])('refuses the cursor %s', async (cursor) => {
    await expect(watch(cursor).next()).rejects.toThrow(FieldError);
  });

  it('says that there is no such study', async () => {
    await expect(watch('', {}, { name: 'studies/b' }).next()).rejects.toThrow(/does not exist/);
  });

  it('tells a slow watcher the study as it is in place of what it missed, and goes on from there', async () => {
    const events = watch('2', {}, { maxLag: 3 });
    for (let i = 0; i < 3; i++) await outerStep();
    expect((await events.next()).value.cursor).toBe('3');
    for (let i = 0; i < 3; i++) await outerStep();
    const { value } = await events.next();
    expect(value).toMatchObject({ cursor: '8', event: { $case: 'snapshot', value: { missedEvents: 5 } } });
    expect(value.event.value).toMatchObject({ study: { name: NAME }, trials: [{ outerStepsDone: 6 }] });
    await outerStep();
    expect((await events.next()).value).toMatchObject({ cursor: '9', event: { $case: 'outerStep' } });
    await end();
    expect(cursors(await Array.fromAsync(events))).toEqual([10, 11]);
  });

  it('ends with a snapshot of a study that has ended', async () => {
    await outerStep();
    await end();
    const events = await Array.fromAsync(watch('', {}, { maxLag: 1 }));
    expect(events.map(({ event }) => event?.$case)).toEqual(['snapshot']);
  });

  it('asks the store once how far a study is, however many wonder whether they are slow', async () => {
    const events = Array.from({ length: 20 }, () => watch('2', {}, { maxLag: 5 }));
    const asked = vi.spyOn(store, 'lastSequence');
    const waiting = events.map((watcher) => watcher.next());
    await outerStep();
    await Promise.all(waiting);
    expect(asked.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it('refuses a negative lag', async () => {
    await expect(watch('', {}, { maxLag: -1 }).next()).rejects.toThrow('max_lag: -1 is negative');
  });

  it('goes on past the end of a study that was taken up again', async () => {
    await store.endTrial(claim, { state: TrialState.FAILED, reason: 'no memory' });
    await store.resumeStudy({
      name: NAME,
      points: [{ trial: TRIAL, checkpoint: 0 }],
      maxActiveStudies: 1,
    });
    ({ claim } = await store.startTrial(TRIAL));
    const events = watch('2');
    const seen = [];
    for (let i = 0; i < 5; i++) seen.push((await events.next()).value);
    expect(cursors(seen)).toEqual([3, 4, 5, 6, 7]);
    const next = events.next();
    await end();
    expect((await next).value.event.$case).toBe('trial');
  });

  it('ends when the study is deleted, and says so', async () => {
    const events = watch('2');
    const next = events.next();
    await end();
    await next;
    await store.deleteStudy(NAME);
    hub.removed(NAME);
    await expect(events.next().then(() => events.next())).rejects.toThrow('studies/a does not exist');
  });
});
