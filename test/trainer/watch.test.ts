/** What watchers are told while a real trial trains, and that the server has time for others meanwhile. */

import type { Study, StudyEvent } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longStudy, type QuickSpace, quickSpace, quickStudy, training, WINDOW } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

/** A call takes a few milliseconds; a server that trains itself would take as long as its trial. */
const PROMPT_MS = 3_000;

let trainer: TestTrainer;
let study: Study<QuickSpace>;
let events: StudyEvent<QuickSpace>[];

beforeAll(async () => {
  trainer = await TestTrainer.start();
  study = await trainer.client.studies.create(quickStudy({ estimator: 'mean', outerSteps: 5 }));
  events = await Array.fromAsync(study.watch());
});
afterAll(() => trainer[Symbol.asyncDispose]());

const stored = (all: readonly StudyEvent<QuickSpace>[]) => all.filter(({ type }) => type !== 'progress');

describe('a watch', () => {
  it('tells the creation, the start of the trial, each outer step, and both ends, in this order', () => {
    const what = stored(events).map((event) =>
      event.type === 'outerStep' ? event.index : 'state' in event && `${event.type} ${event.state}`,
    );
    expect(what.filter((told, i) => told !== what[i - 1])).toEqual([
      'study ACTIVE',
      'trial RUNNING',
      ...[1, 2, 3, 4, 5],
      'trial SUCCEEDED',
      'study COMPLETED',
    ]);
  });

  it('has cursors that rise by one stored event', () => {
    const cursors = stored(events).map(({ cursor }) => Number(cursor));
    expect(cursors).toEqual(cursors.map((_, i) => i + 1));
  });

  it('leaves the study as the last event says', () => {
    expect(study).toMatchObject({ state: 'COMPLETED', stateReason: '1 of 1 trials succeeded', ended: true });
  });

  it('tells the progress between outer steps, at the cursor of the last stored event', () => {
    const progress = events.flatMap((event, i) =>
      event.type === 'progress' ? [{ ...event, before: events[i - 1]?.cursor }] : [],
    );
    expect(progress.length).toBeGreaterThan(0);
    for (const { trial, steps, stepsDone, cursor, before } of progress) {
      expect({ trial, steps }).toEqual({ trial: `${study.name}/trials/0`, steps: 5 * WINDOW });
      expect(stepsDone).toBeGreaterThan(0);
      expect(cursor).toBe(before);
    }
    const done = progress.map(({ stepsDone }) => stepsDone);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
  });

  it('tells all stored events again to who comes later, and no progress', async () => {
    expect(await Array.fromAsync(study.watch())).toEqual(stored(events));
  });

  it.each([1, 4, 8])('goes on after cursor %i with the next event', async (cursor) => {
    const rest = await Array.fromAsync(study.watch({ cursor: String(cursor) }));
    expect(rest).toEqual(stored(events).slice(cursor));
  });

  it('tells each of several watchers everything', async () => {
    const watched = await trainer.client.studies.create(quickStudy({ estimator: 'fixed' }));
    const [one, other] = await Promise.all([
      Array.fromAsync(watched.watch()),
      Array.fromAsync((await trainer.client.studies.get(watched.name, { space: quickSpace })).watch()),
    ]);
    expect(stored(one).map(({ cursor }) => cursor)).toEqual(stored(other).map(({ cursor }) => cursor));
    expect(stored(one).at(-1)).toMatchObject({ type: 'study', state: 'COMPLETED' });
  });
});

describe('while a trial trains, the server', () => {
  it('answers promptly', async () => {
    const busy = await trainer.client.studies.create(longStudy());
    await training(busy);
    const milliseconds: number[] = [];
    for (let i = 0; i < 50; i++) {
      const start = performance.now();
      await trainer.client.serverInfo();
      milliseconds.push(performance.now() - start);
    }
    expect((await busy.trial()).state).toBe('RUNNING');
    await busy.cancel();
    expect(Math.max(...milliseconds)).toBeLessThan(PROMPT_MS);
  });

  it('has the outer steps done so far, their windows and the schedule', async () => {
    const busy = await trainer.client.studies.create(longStudy());
    const { index } = await training(busy);
    const { window, nextValues } = await busy.outerStep(index);
    expect(window?.hypergradients).toHaveLength(window?.rows ?? Number.NaN);
    const { points } = await busy.schedule();
    expect(points[index]).toEqual({ step: index * WINDOW, values: nextValues });
    const trial = await busy.trial();
    expect(trial).toMatchObject({ state: 'RUNNING', test: undefined, endTime: undefined });
    expect(trial.outerStepsDone).toBeGreaterThanOrEqual(index);
    await busy.cancel();
  });
});
