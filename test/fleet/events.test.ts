/** Servers on one database, of which one trains and clients are at another; one of the two is killed in the middle. */

import { TrialState } from '@glocal/proto/glocal/v1/study';
import { GlocalClient, type Study, type StudyEvent } from '@glocal/sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ACCEPT, Driver } from '../support/driver.ts';
import { LateAddress, TestFleet } from '../support/fleet.ts';
import { expectGone, trainingProcesses } from '../support/processes.ts';
import { externalStudy, Reporter, rowsAt } from '../support/reporter.ts';
import { type QuickSpace, quickSpace, quickStudy } from '../support/studies.ts';
import type { TestTrainer } from '../support/trainer.ts';

let fleet: TestFleet;
beforeAll(async () => {
  fleet = await TestFleet.start(0);
});
afterAll(() => fleet[Symbol.asyncDispose]());
beforeEach(async () => {
  await Promise.all(Array.from({ length: 2 - fleet.trainers.length }, () => fleet.add()));
});
afterEach(async () => {
  const [first] = fleet.trainers;
  for await (const study of first?.client.studies.list({ states: ['ACTIVE', 'PAUSED'] }) ?? []) {
    await study.cancel();
  }
  for (const { pid } of fleet.trainers) await expectGone(trainingProcesses(pid));
});

/** A client of one server, and of another one once the first has been killed. */
async function clientOf(server: TestTrainer, cleanUp: AsyncDisposableStack) {
  const late = cleanUp.use(await LateAddress.reserve());
  const address = [server.address, late.address];
  const client = cleanUp.use(await GlocalClient.connect({ address, retry: { initialBackoff: 10 } }));
  return { client, late };
}

const create = (at: TestTrainer, outerSteps: number, mode: 'managed' | 'driven' = 'managed') =>
  at.client.studies.create({ ...quickStudy({ estimator: 'mean', outerSteps }), mode });

const seenAs = (client: GlocalClient, { name }: Study<QuickSpace>) =>
  client.studies.get(name, { space: quickSpace });

const stored = (events: readonly StudyEvent<QuickSpace>[]) =>
  events.filter(({ type }) => type !== 'progress');
const indices = (events: readonly StudyEvent<QuickSpace>[]) =>
  events.flatMap((event) => (event.type === 'outerStep' ? [event.index] : []));

/** Every event once and in order, to the end. */
function expectWhole(events: readonly StudyEvent<QuickSpace>[], outerSteps: number): void {
  const cursors = stored(events).map(({ cursor }) => Number(cursor));
  expect(cursors).toEqual(cursors.map((_, i) => i + 1));
  expect(indices(events)).toEqual(Array.from({ length: outerSteps }, (_, i) => i + 1));
  expect(events.at(-1)).toMatchObject({ type: 'study', state: 'COMPLETED' });
}

vi.setConfig({ testTimeout: 180_000 });

describe('a watcher at another server than the trial', () => {
  it('is told every event once and in order, and of the progress between', async () => {
    const [first] = fleet.trainers;
    const study = await create(first as TestTrainer, 3);
    const { other } = await fleet.roles();
    const events = await Array.fromAsync((await seenAs(other.client, study)).watch());
    expectWhole(events, 3);
    expect(events.filter(({ type }) => type === 'progress').length).toBeGreaterThan(0);
    expect(await Array.fromAsync((await seenAs(first?.client as GlocalClient, study)).watch())).toEqual(
      stored(events),
    );
  });

  it('goes on at the next one without a gap when its own is killed', async () => {
    await using cleanUp = new AsyncDisposableStack();
    const study = await create(fleet.trainers[0] as TestTrainer, 8);
    const { training, other } = await fleet.roles();
    const { client, late } = await clientOf(other, cleanUp);
    const events: StudyEvent<QuickSpace>[] = [];
    for await (const event of (await seenAs(client, study)).watch()) {
      events.push(event);
      if (event.type !== 'outerStep' || event.index !== 2) continue;
      await fleet.kill(other);
      await late.leadTo(training.address);
    }
    expectWhole(events, 8);
  });

  it('sees the trial go on in another process when that server is killed', async () => {
    const study = await create(fleet.trainers[0] as TestTrainer, 6);
    const { training, other } = await fleet.roles();
    const events: StudyEvent<QuickSpace>[] = [];
    let restarted: Promise<unknown> | undefined;
    for await (const event of (await seenAs(other.client, study)).watch()) {
      events.push(event);
      if (event.type === 'outerStep' && event.index === 2) {
        restarted ??= fleet.kill(training).then(() => fleet.add());
      }
    }
    await restarted;
    expectWhole(events, 6);
    expect((await (await seenAs(other.client, study)).trial()).attempts).toBeGreaterThan(1);
  });

  it('steers it, and who trains it heeds that', async () => {
    const study = await create(fleet.trainers[0] as TestTrainer, 50_000);
    const { training, other } = await fleet.roles();
    const there = await seenAs(other.client, study);
    let pauses = 0;
    for await (const event of there.watch()) {
      if (event.type === 'outerStep' && pauses === 0) {
        pauses += 1;
        await there.pause();
      }
      if (event.type === 'trial' && event.state === 'PAUSED') await there.resume();
      if (event.type === 'trial' && event.state === 'RUNNING' && pauses === 1 && event.attempts === 2) {
        await there.cancel();
      }
    }
    expect(there.state).toBe('CANCELLED');
    await expectGone(trainingProcesses(training.pid));
    await expectGone(trainingProcesses(other.pid));
  });
});

describe('a client that drives a trial at another server', () => {
  it('decides about every window, also when its own server is killed', async () => {
    await using cleanUp = new AsyncDisposableStack();
    const study = await create(fleet.trainers[0] as TestTrainer, 4, 'driven');
    const { training, other } = await fleet.roles();
    const { client, late } = await clientOf(other, cleanUp);
    const seen: number[] = [];
    for await (const window of (await seenAs(client, study)).drive()) {
      seen.push(window.index);
      if (window.index === 2) {
        await fleet.kill(other);
        await late.leadTo(training.address);
      }
      expect(await window.accept()).toMatchObject({ index: window.index });
    }
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(await (await seenAs(training.client, study)).trial()).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('is asked again by who trains it next when the trial’s server is killed', async () => {
    const study = await create(fleet.trainers[0] as TestTrainer, 3, 'driven');
    const { training, other } = await fleet.roles();
    using driver = new Driver(other.address, `${study.name}/trials/0`);
    const first = await driver.proposal();
    driver.decide(1, { action: ACCEPT });
    expect(first.outerStep?.index).toBe(1);
    expect(await driver.until('outerStep')).toMatchObject({ index: 1 });
    const second = await driver.proposal();
    await fleet.kill(training);
    await fleet.add();
    const again = await driver.proposal();
    expect(again.outerStep?.nextValues).toEqual(second.outerStep?.nextValues);
    expect(again.outerStep?.index).toBe(2);
    driver.decide(2, { action: ACCEPT });
    const ended = await driver.drive(() => ({ action: ACCEPT }));
    expect(ended).toMatchObject({ state: TrialState.SUCCEEDED, outerStepsDone: 3 });
  });

  it('loses it to one that comes later, whichever server that comes to', async () => {
    const study = await create(fleet.trainers[0] as TestTrainer, 2, 'driven');
    const { training, other } = await fleet.roles();
    const trial = `${study.name}/trials/0`;
    using first = new Driver(training.address, trial);
    await first.proposal();
    using second = new Driver(other.address, trial);
    await second.proposal();
    await expect(first.next()).rejects.toMatchObject({
      details: expect.stringMatching(/another client drives/),
    });
    second.decide(1, { action: ACCEPT });
    expect(await second.until('outerStep')).toMatchObject({ index: 1 });
    expect(await second.drive(() => ({ action: ACCEPT }))).toMatchObject({ state: TrialState.SUCCEEDED });
  });
});

describe('a client that trains', () => {
  it('loses the trial to one at another server, which goes on where it is', async () => {
    const [one, two] = fleet.trainers as [TestTrainer, TestTrainer];
    using first = new Reporter(one.address);
    using second = new Reporter(two.address);
    const trial = await first.create(externalStudy({ windows: 2 }));
    const at = await first.position(trial);
    const rows = rowsAt(at);
    await first.report({ outerStep: 1, firstRow: 0, rows: rows.slice(0, 4) });
    const lost = expect(first.next()).rejects.toMatchObject({
      details: expect.stringMatching(/another client reports/),
    });
    expect(await second.position(trial)).toMatchObject({ outerStep: 1, rows: 4 });
    await lost;
    expect(await second.report({ outerStep: 1, firstRow: 4, rows: rows.slice(4) })).toMatchObject({
      $case: 'outerStep',
      value: { index: 1 },
    });
  });

  it('goes on at the next server when its own is killed', async () => {
    await using cleanUp = new AsyncDisposableStack();
    const [one, two] = fleet.trainers as [TestTrainer, TestTrainer];
    using plain = new Reporter(two.address);
    const trial = await plain.create(externalStudy({ windows: 4 }));
    const { client, late } = await clientOf(one, cleanUp);
    const study = await client.studies.get(trial.slice(0, trial.indexOf('/trials')));
    await using session = await study.report();
    for (let index = 1; index <= 4; index++) {
      expect(session.position).toEqual({ outerStep: index, rows: 0 });
      const { mix, rate } = session.values as { readonly mix: number[]; readonly rate: number };
      const values = [
        { name: 'mix', value: 0, values: [...mix] },
        { name: 'rate', value: rate, values: [] },
      ];
      const rows = rowsAt({ outerStep: index, values });
      await session.rows(rows.slice(0, 4));
      if (index === 2) {
        await fleet.kill(one);
        await late.leadTo(two.address);
      }
      expect(await session.rows(rows.slice(4))).toMatchObject({ index });
    }
    expect(await study.trial()).toMatchObject({ state: 'SUCCEEDED', outerStepsDone: 4 });
  });
});
