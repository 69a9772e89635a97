import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Decision,
  Estimator,
  Method,
  OuterStep,
  RunMode,
  Scale,
  Study,
  StudyState,
  Trial,
  TrialState,
} from '@glocal/proto/glocal/v1/study';
import { DriveTrialRequest, type DriveTrialResponse } from '@glocal/proto/glocal/v1/study_service';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DriveDesk, NoDecisionError } from '../drive/desk.ts';
import { Seats } from '../drive/seats.ts';
import { keepCatchingUp } from '../events/catch-up.ts';
import { EventHub } from '../events/hub.ts';
import { LocalNotices, type Notices } from '../notices/notices.ts';
import { JoinedNotices } from '../notices/testing.ts';
import { BusyError, FieldError, NotFoundError, StateError, StoppingError } from '../resource/errors.ts';
import { encodeRows } from '../resource/rows.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import type { Claim } from '../store/store.ts';
import type { Call } from './call.ts';
import { driving } from './driving.ts';
import { ApiError } from './errors.ts';

const STUDY = 'studies/a';
const TRIAL = `${STUDY}/trials/0`;
const float = (name: string, scale: Scale) => ({
  name,
  kind: { $case: 'float' as const, value: { min: 0.1, max: 1, initial: 0.5, scale } },
});
const space = {
  parameters: [
    float('lr', Scale.LOG),
    float('decay', Scale.LOGIT),
    float('classWeights', Scale.LINEAR),
    { name: 'momentum', kind: { $case: 'fixed' as const, value: { value: 0.9 } } },
  ],
};
const found = <T>(value: T | undefined): T => {
  if (value === undefined) throw new NotFoundError(TRIAL);
  return value;
};

let store: SqliteStore;
/** What a process has of events and drivers. */
interface Process {
  readonly notices: Notices;
  readonly hub: EventHub;
  readonly desk: DriveDesk;
}
/** Where the trial trains. */
let trainer: Process;
/** Where clients come to. */
let server: Process;
let seats: Seats;
let claim: Claim;
/** Of the study, once it is made. */
let study: Study;
/** Of the training process. */
let gone: AbortController;
let stopping: AbortController;
const open: Driver[] = [];
let cleanUp: DisposableStack;

const WHERE = ['here', 'in another process', 'in another process, of which no notice comes'] as const;

function begin(where: (typeof WHERE)[number]): void {
  const log = pino({ level: 'silent' });
  const processOf = (notices: Notices): Process => {
    const hub = new EventHub(notices);
    const lookEveryMs = notices.shared ? 10 : undefined;
    if (notices.shared) cleanUp.use(keepCatchingUp({ store, hub, log }, 10));
    return { notices, hub, desk: new DriveDesk({ store, hub, notices, log, lookEveryMs }) };
  };
  cleanUp = new DisposableStack();
  if (where === 'here') trainer = server = processOf(new LocalNotices());
  else {
    const pair = JoinedNotices.pair();
    pair[0].cutOff = where !== 'in another process';
    [trainer, server] = pair.map(processOf) as [Process, Process];
  }
  seats = new Seats(2, server.notices);
}

beforeEach(() => {
  store = SqliteStore.inMemory();
  gone = new AbortController();
  stopping = new AbortController();
});
afterEach(async () => {
  for (const driver of open.splice(0)) driver.leave();
  cleanUp.dispose();
  await store.close();
});

/** A stored study of one trial, which runs. */
async function running(changes: Partial<Study> = {}): Promise<void> {
  const usual = Study.fromPartial({
    name: STUDY,
    state: StudyState.ACTIVE,
    mode: RunMode.DRIVEN,
    decisionTimeout: { seconds: 600n, nanos: 0 },
    space,
    method: { estimator: Estimator.LOCAL },
  });
  study = { ...usual, ...changes };
  await store.createStudy({
    study,
    trials: [Trial.fromPartial({ name: TRIAL, state: TrialState.PENDING })],
    requestId: '',
    fingerprint: Buffer.of(1),
    maxActiveStudies: 100,
    maxOwnerActiveStudies: 100,
  });
  ({ claim } = await store.startTrial(TRIAL));
}

const outerStep = (index: number): OuterStep =>
  OuterStep.fromPartial({
    name: `${TRIAL}/outerSteps/${index}`,
    index,
    step: 50 * index,
    values: [{ name: 'lr' }, { name: 'decay' }, { name: 'classWeights', values: [1, 1, 1] }],
    window: { rows: 1, hypergradients: encodeRows([Float64Array.of(1, 2, 3, 4, 5)]) },
    trainLoss: 1,
  });
/** What a training process asks; resolves with the decision. */
const propose = (index: number, how: { sound?: boolean; givesUp?: boolean } = {}) =>
  trainer.desk.decide(
    claim,
    study,
    { outerStep: outerStep(index), sound: true, givesUp: false, ...how },
    gone.signal,
  );

/** Stores the outer step, as the supervisor does. */
async function settle(index: number, decision?: Decision): Promise<void> {
  const done = { ...outerStep(index), update: OuterStep.fromPartial({ update: { decision } }).update };
  await store.addOuterStep(claim, done);
  trainer.desk.settled(TRIAL, done);
  trainer.hub.changed(STUDY);
}

/** A client: what it sends, and what it is told. */
class Driver {
  readonly #requests: DriveTrialRequest[] = [];
  readonly #gone = new AbortController();
  readonly #responses: AsyncIterator<DriveTrialResponse>;
  #wake = () => {};

  constructor(first?: DriveTrialRequest, at: Process & { readonly seats: Seats } = { ...server, seats }) {
    if (first) this.#requests.push(first);
    const { driveTrial } = driving({
      ...{ store, ...at },
      queue: { resumeTrial: (name, cause, by) => store.resumeTrial(name, cause, by) },
      getStudy: async (name) => found(await store.getStudy(name)),
      getTrial: async (name) => found(await store.getTrial(name)),
    });
    const call = { signal: this.#gone.signal, stopping: stopping.signal } as Call;
    const responses = driveTrial(this.#read(), call) as AsyncIterable<DriveTrialResponse>;
    this.#responses = responses[Symbol.asyncIterator]();
    open.push(this);
  }

  static start(trial = TRIAL, includeWindows = false): Driver {
    return new Driver({ request: { $case: 'start', value: { trial, includeWindows } } });
  }

  /** One that has been attached. */
  static async attached(includeWindows = false): Promise<Driver> {
    const driver = Driver.start(TRIAL, includeWindows);
    expect(await driver.next()).toMatchObject({ $case: 'attached', value: { name: TRIAL } });
    return driver;
  }

  send(request: DriveTrialRequest['request']): void {
    this.#requests.push(DriveTrialRequest.fromPartial({ request }));
    this.#wake();
  }

  decide(outerStepIndex: number, action: Decision['action'], outerRate?: number): void {
    this.send({ $case: 'decision', value: { outerStep: outerStepIndex, action, outerRate } });
  }

  /** The next that it is told; undefined at the end. */
  async next(): Promise<DriveTrialResponse['response']> {
    const { value, done } = await this.#responses.next();
    return done ? undefined : (value as DriveTrialResponse).response;
  }

  leave(): void {
    this.#gone.abort(new Error('the caller has gone'));
    this.#wake();
  }

  async *#read(): AsyncGenerator<DriveTrialRequest> {
    for (;;) {
      this.#gone.signal.throwIfAborted();
      const request = this.#requests.shift();
      if (request !== undefined) yield request;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

const accept = { $case: 'accept', value: {} } as const;
const hold = { $case: 'hold', value: {} } as const;
const stop = (reason: string) => ({ $case: 'stop', value: { reason } }) as const;
const set = (...values: { name: string; value?: number; values?: number[] }[]): Decision['action'] => ({
  $case: 'setValues',
  value: { values: values.map((value) => ({ value: 0, values: [], ...value })) },
});
const proposal = (index: number) => ({ $case: 'proposal', value: { outerStep: { index } } });

describe.each(WHERE)('a client that drives a trial that trains %s:', (where) => {
  beforeEach(() => begin(where));

  it('is shown each window as it would be settled, decides, and gets the outer step that comes of it', async () => {
    await running();
    const driver = await Driver.attached();
    for (const index of [1, 2]) {
      const decided = propose(index, { givesUp: index === 2 });
      const before = Date.now();
      const told = await driver.next();
      expect(told).toMatchObject({ ...proposal(index), value: { givesUp: index === 2 } });
      if (told?.$case !== 'proposal') return expect.unreachable();
      expect(told.value.outerStep?.window?.hypergradients).toHaveLength(0);
      expect(Number(told.value.deadline) - before).toBeGreaterThan(599_000);
      driver.decide(index, accept, 0.5);
      const decision = { outerStep: index, action: accept, outerRate: 0.5 };
      expect(await decided).toEqual(decision);
      expect(await store.getDecision(TRIAL, index)).toEqual(decision);
      await settle(index, decision);
      expect(await driver.next()).toMatchObject({
        $case: 'outerStep',
        value: { index, update: { decision } },
      });
    }
    await store.endTrial(claim, { state: TrialState.SUCCEEDED, reason: 'all done' });
    trainer.hub.changed(STUDY);
    expect(await driver.next()).toMatchObject({ $case: 'ended', value: { state: TrialState.SUCCEEDED } });
    expect(await driver.next()).toBeUndefined();
  });

  it('gets the rows of the windows when it asks for them', async () => {
    await running();
    const driver = await Driver.attached(true);
    propose(1).catch(() => {});
    expect(await driver.next()).toMatchObject({
      value: { outerStep: { window: { hypergradients: outerStep(1).window?.hypergradients } } },
    });
  });

  it('that comes later finds what waits, and the earlier one is told that it has lost the trial', async () => {
    await running();
    const first = await Driver.attached();
    const decided = propose(1);
    expect(await first.next()).toMatchObject(proposal(1));
    const lost = expect(first.next()).rejects.toMatchObject({ reason: 'TAKEN_OVER' });
    const second = await Driver.attached();
    await lost;
    expect(await second.next()).toMatchObject(proposal(1));
    first.decide(1, stop('no'));
    second.decide(1, hold);
    expect(await decided).toMatchObject({ action: hold });
  });

  it('may repeat what it has decided, before and after the outer step is stored, and change nothing of it', async () => {
    await running();
    let driver = await Driver.attached();
    const decided = propose(1);
    await driver.next();
    driver.decide(1, hold);
    const decision = await decided;
    driver.decide(1, hold);
    await sleep(20);
    await settle(1, decision);
    expect(await driver.next()).toMatchObject({ $case: 'outerStep', value: { index: 1 } });
    driver.decide(1, hold);
    expect(await driver.next()).toMatchObject({ $case: 'outerStep', value: { index: 1 } });
    driver.decide(1, accept);
    await expect(driver.next()).rejects.toThrow(
      'no outer step of studies/a/trials/0 is open; outer step 1 has been decided otherwise',
    );
    propose(2).catch(() => {});
    driver = await Driver.attached();
    await driver.next();
    driver.decide(3, accept);
    await expect(driver.next()).rejects.toThrow('outer step 2 of studies/a/trials/0 is open');
  });

  it('decides also while the window is trained again, and is not asked again then', async () => {
    await running();
    const driver = await Driver.attached();
    const asked = propose(1);
    await driver.next();
    gone.abort(new Error('the process died'));
    await expect(asked).rejects.toThrow('the process died');
    driver.decide(1, accept);
    await vi.waitUntil(() => store.getDecision(TRIAL, 1));
    await store.interruptTrial(claim, { why: 'the process died', crashed: true });
    ({ claim } = await store.startTrial(TRIAL));
    gone = new AbortController();
    expect(await propose(1)).toMatchObject({ action: accept });
  });

  it('is shown a window that was trained again', async () => {
    await running();
    const driver = await Driver.attached();
    propose(1).catch(() => {});
    await driver.next();
    gone.abort();
    gone = new AbortController();
    // To train a window again takes time, and a proposal is known by its deadline.
    await sleep(5);
    const decided = propose(1);
    expect(await driver.next()).toMatchObject(proposal(1));
    driver.decide(1, accept);
    expect(await decided).toMatchObject({ action: accept });
  });

  it('is told that the server stops, and leaves its seat when it goes', async () => {
    await running();
    const driver = await Driver.attached();
    const stopped = expect(driver.next()).rejects.toThrow(StoppingError);
    stopping.abort();
    await stopped;
    seats = new Seats(1, server.notices);
    stopping = new AbortController();
    const other = await Driver.attached();
    const last = other.next();
    expect(() => seats.take('another', '')).toThrow(BusyError);
    other.leave();
    expect(await last).toBeUndefined();
    seats.take('another', '');
  });
});

describe.each(WHERE)('a decision, of a trial that trains %s:', (where) => {
  beforeEach(() => begin(where));

  it('that comes in time ends the waiting, of which nobody is told when it is short', async () => {
    await running();
    const driver = await Driver.attached();
    const decided = propose(1);
    await driver.next();
    driver.decide(1, accept);
    await decided;
    expect((await store.listEvents(STUDY, { limit: 9 })).records).toHaveLength(2);
  });

  it('is waited for in the open when it takes longer', async () => {
    await running();
    const decided = propose(1);
    const reason = async () => (await store.getTrial(TRIAL))?.stateReason;
    await vi.waitUntil(async () => (await reason()) === 'waiting for a decision about outer step 1', 20_000);
    const driver = await Driver.attached();
    await driver.next();
    driver.decide(1, accept);
    await decided;
    expect(await reason()).toBe('');
  });

  it('is not waited for beyond the deadline, however far away that is', async () => {
    await running({ decisionTimeout: { seconds: 0n, nanos: 20_000_000 } });
    await expect(propose(1)).rejects.toThrow(NoDecisionError);
    await store.pauseTrial(claim, { why: 'no decision has come', cause: 'decision' });
    expect(await server.desk.proposalOf(TRIAL)).toBeUndefined();
    study.decisionTimeout = { seconds: 30n * 86_400n, nanos: 0 };
    await store.resumeTrial(TRIAL, 'decision', 'caller');
    ({ claim } = await store.startTrial(TRIAL));
    const asked = propose(1);
    await sleep(50);
    expect(await server.desk.proposalOf(TRIAL)).toBeDefined();
    gone.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  const rows: [string, Decision['action'], number | undefined, string, RegExp][] = [
    ['without an action', undefined, undefined, 'decision', /none of accept, set_values, hold and stop/],
    ['with no rate', accept, 0, 'decision.outer_rate', /0 is not a positive number/],
    ['with an endless rate', hold, Number.POSITIVE_INFINITY, 'decision.outer_rate', /Infinity is not/],
    [
      'that says too much',
      stop('😀'.repeat(501)),
      undefined,
      'decision.stop.reason',
      /501 characters; at most 500/,
    ],
    ['that sets nothing', set(), undefined, 'decision.set_values.values', /hold does that/],
    [
      'that sets what is not there',
      set({ name: 'nothing', value: 1 }),
      undefined,
      'decision.set_values.values[0].name',
      /"nothing" is none of those that move: lr, decay, classWeights/,
    ],
    [
      'that sets what does not move',
      set({ name: 'lr', value: 0.2 }, { name: 'momentum', value: 0.8 }),
      undefined,
      'decision.set_values.values[1].name',
      /none of those that move/,
    ],
    [
      'that sets a value twice',
      set({ name: 'lr', value: 0.2 }, { name: 'lr', value: 0.3 }),
      undefined,
      'decision.set_values.values[1].name',
      /lr is set twice/,
    ],
    [
      'with a value beyond its bounds',
      set({ name: 'lr', value: 1.5 }),
      undefined,
      'decision.set_values.values[0].value',
      /1\.5 is not between 0\.1 and 1/,
    ],
    [
      'with a value that is no number',
      set({ name: 'lr', value: Number.NaN }),
      undefined,
      'decision.set_values.values[0].value',
      /NaN is not between/,
    ],
    [
      'with a bound that is never reached',
      set({ name: 'decay', value: 1 }),
      undefined,
      'decision.set_values.values[0].value',
      /1 is not strictly between 0\.1 and 1/,
    ],
    [
      'with many values for one',
      set({ name: 'lr', values: [0.2, 0.3] }),
      undefined,
      'decision.set_values.values[0].values',
      /lr is one value/,
    ],
    [
      'with too few values for a vector',
      set({ name: 'classWeights', values: [0.2, 0.3] }),
      undefined,
      'decision.set_values.values[0].values',
      /2 values for the 3 of classWeights/,
    ],
    [
      'with one value of a vector beyond its bounds',
      set({ name: 'classWeights', values: [0.2, 7, 8] }),
      undefined,
      'decision.set_values.values[0].values[1]',
      /7 is not between/,
    ],
  ];

  it.each(rows)(
    '%s is refused by field, and the proposal stays open',
    async (_, action, rate, field, text) => {
      await running();
      propose(1).catch(() => {});
      const driver = await Driver.attached();
      await driver.next();
      driver.decide(1, action, rate);
      await expect(driver.next()).rejects.toMatchObject({
        name: 'FieldError',
        violations: [{ field, description: expect.stringMatching(text) }],
      });
      expect(await server.desk.proposalOf(TRIAL)).toBeDefined();
    },
  );

  it.each([
    set({ name: 'classWeights', value: 0.3 }),
    set({ name: 'classWeights', values: [0.2, 0.3, 0.4] }),
  ])('may set a vector: %j', async (action) => {
    await running();
    const decided = propose(1);
    const driver = await Driver.attached();
    await driver.next();
    driver.decide(1, action);
    expect(await decided).toMatchObject({ action });
  });

  it('has no rate with FIXED, and does not hold where training cannot go on', async () => {
    await running({ method: Method.fromPartial({ estimator: Estimator.FIXED }) });
    propose(1, { sound: false }).catch(() => {});
    let driver = await Driver.attached();
    await driver.next();
    driver.decide(1, accept, 1);
    await expect(driver.next()).rejects.toThrow(/decision\.outer_rate: has no effect with FIXED/);
    driver = await Driver.attached();
    await driver.next();
    driver.decide(1, hold);
    await expect(driver.next()).rejects.toThrow(/not finite.*accept, set values or stop/);
  });
});

describe.each(WHERE)('whatever a client sends, of a trial that trains %s:', (where) => {
  beforeEach(() => begin(where));

  const parameterValue = fc.record({
    name: fc.oneof(fc.constantFrom('lr', 'decay', 'classWeights', 'momentum', ''), fc.string()),
    value: fc.oneof(fc.double({ min: 0.1, max: 1 }), fc.double()),
    values: fc.array(fc.double(), { maxLength: 4 }),
  });
  const action: fc.Arbitrary<Decision['action']> = fc.oneof(
    fc.constantFrom(undefined, accept, hold),
    fc.string({ maxLength: 600 }).map(stop),
    fc.array(parameterValue, { maxLength: 3 }).map((values) => set(...values)),
  );
  const decision = fc.record({
    outerStep: fc.oneof(fc.constant(1), fc.integer()),
    action,
    outerRate: fc.option(fc.oneof(fc.constant(0.1), fc.double()), { nil: undefined }),
  });
  const request: fc.Arbitrary<DriveTrialRequest['request']> = fc.oneof(
    { weight: 5, arbitrary: decision.map((value) => ({ $case: 'decision' as const, value })) },
    fc.constantFrom(undefined, { $case: 'start' as const, value: { trial: TRIAL, includeWindows: true } }),
    fc.string().map((trial) => ({ $case: 'start' as const, value: { trial, includeWindows: false } })),
  );

  it('is answered, or refused with an error that says why', async () => {
    await running();
    propose(1).catch(() => {});
    const reasons = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (requests, starts) => {
          const driver = starts ? Driver.start() : new Driver();
          for (const sent of requests) driver.send(sent);
          const told = (async () => {
            while (await driver.next());
          })();
          const outcome = told.then(
            () => 'told',
            (error: unknown) => ApiError.from(error)?.reason ?? error,
          );
          await sleep(2);
          driver.leave();
          const reason = await outcome;
          expect(reason).toBeTypeOf('string');
          reasons.add(reason as string);
        },
      ),
    );
    expect([...reasons]).toEqual(expect.arrayContaining(['told', 'DRIVE_REQUEST', 'INVALID_DECISION']));
  });
});

describe.each(WHERE)('what is no drive, of a trial that trains %s:', (where) => {
  beforeEach(() => begin(where));

  it.each([
    ['no message', undefined, FieldError],
    ['a decision first', { $case: 'decision', value: { outerStep: 1, action: accept } } as const, FieldError],
  ])('%s is refused', async (_, request, kind) => {
    await running();
    const driver = new Driver(DriveTrialRequest.fromPartial({ request }));
    await expect(driver.next()).rejects.toThrow(kind);
  });

  it('a second start, a trial that is not there or not driven, and one client too many are refused', async () => {
    await running();
    await expect(Driver.start('studies/none/trials/0').next()).rejects.toThrow(NotFoundError);
    const driver = await Driver.attached();
    driver.send({ $case: 'start', value: { trial: TRIAL, includeWindows: false } });
    await expect(driver.next()).rejects.toThrow('start: only decisions come after start');
    seats.take('one', '');
    seats.take('another', '');
    await expect(Driver.start().next()).rejects.toThrow(BusyError);
  });

  it('a study that moves its hyperparameters itself is refused', async () => {
    await running({ mode: RunMode.MANAGED });
    await expect(Driver.start().next()).rejects.toThrow(StateError);
  });

  it('a trial that was paused by a caller stays so, and one that nobody decided about goes on', async () => {
    await running();
    await store.pauseStudy(STUDY);
    await store.interruptTrial(claim, { why: 'paused by a caller', crashed: false });
    const paused = { state: TrialState.PAUSED };
    const driver = await Driver.attached();
    expect(await driver.next()).toMatchObject({ $case: 'ended', value: paused });
    await store.resumeStudy({ name: STUDY, points: [], maxActiveStudies: 1 });
    ({ claim } = await store.startTrial(TRIAL));
    await store.pauseTrial(claim, { why: 'no decision has come', cause: 'decision' });
    const again = Driver.start();
    expect(await again.next()).toMatchObject({ $case: 'attached', value: { state: TrialState.PENDING } });
  });

  it('a trial that has ended is told and left', async () => {
    await running();
    await store.endTrial(claim, { state: TrialState.FAILED, reason: 'no memory' });
    const driver = await Driver.attached();
    expect(await driver.next()).toMatchObject({ $case: 'ended', value: { state: TrialState.FAILED } });
    expect(await driver.next()).toBeUndefined();
  });
});

describe('a trial that trains where its driver is', () => {
  it('keeps nothing of its proposals in the store, and numbers nobody', async () => {
    begin('here');
    await running();
    const asked = (['propose', 'getProposal', 'getDriving', 'takeSeat'] as const).map((method) =>
      vi.spyOn(store, method),
    );
    const driver = await Driver.attached();
    const decided = propose(1);
    await driver.next();
    driver.decide(1, accept);
    const decision = await decided;
    await settle(1, decision);
    expect(await driver.next()).toMatchObject({ $case: 'outerStep' });
    expect(asked.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0, 0]);
    vi.restoreAllMocks();
  });
});

describe.each(WHERE.slice(1))('clients at several servers, of a trial that trains %s:', (where) => {
  beforeEach(() => begin(where));

  const startAt = (at: Process & { readonly seats: Seats }) =>
    new Driver({ request: { $case: 'start', value: { trial: TRIAL, includeWindows: false } } }, at);

  it('the later one drives, and the earlier one is told', async () => {
    await running();
    const first = startAt({ ...trainer, seats: new Seats(2, trainer.notices) });
    await first.next();
    const decided = propose(1);
    expect(await first.next()).toMatchObject(proposal(1));
    const lost = expect(first.next()).rejects.toMatchObject({ reason: 'TAKEN_OVER' });
    const second = await Driver.attached();
    expect(await second.next()).toMatchObject(proposal(1));
    await lost;
    second.decide(1, hold);
    const decision = await decided;
    expect(decision).toMatchObject({ action: hold });
    await settle(1, decision);
    expect(await second.next()).toMatchObject({ $case: 'outerStep', value: { index: 1 } });
  });

  it('of those that decide at once the first is heard, and the other is told of it', async () => {
    await running();
    const seatsThere = new Seats(2, new LocalNotices());
    const first = startAt({ ...trainer, seats: seatsThere });
    await first.next();
    const decided = propose(1);
    await first.next();
    const second = await Driver.attached();
    await second.next();
    second.decide(1, hold);
    await decided;
    first.decide(1, accept);
    await expect(first.next()).rejects.toMatchObject({
      message: expect.stringMatching(/has been decided otherwise|another client drives/),
    });
    expect(await store.getDecision(TRIAL, 1)).toMatchObject({ action: hold });
  });
});
