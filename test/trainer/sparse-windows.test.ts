/** Plain steps between windows (docs/method.md, section 12.2), through the SDK and both services. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Method, OuterStep, Study } from '@glocal/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingProcesses } from '../support/processes.ts';
import { rejection } from '../support/rejection.ts';
import { type QuickSpace, quickStudy, SIGMA, WINDOW } from '../support/studies.ts';
import { TestTrainer } from '../support/trainer.ts';

const INTERVAL = 100;
/** Two windows in a row, one after plain steps, and what is left. */
const ENDS = [WINDOW, 2 * WINDOW, 2 * WINDOW + INTERVAL, 2 * WINDOW + INTERVAL + 30];
const STEPS = ENDS[3] as number;

let trainer: TestTrainer;
/** Nothing has disturbed it. */
let reference: readonly OuterStep<QuickSpace>[];
let managed: Study<QuickSpace>;

const spec = (method: Partial<Method> = {}, steps = STEPS) => {
  const quick = quickStudy();
  const sparse = { interval: INTERVAL, warmupWindows: 2, outer: {}, ...method };
  return { ...quick, training: { steps, seeds: [1] }, method: { ...quick.method, ...sparse } };
};

const outerStepsOf = (study: Study<QuickSpace>) =>
  Array.fromAsync(study.outerSteps({ includeWindows: true }));

beforeAll(async () => {
  trainer = await TestTrainer.start();
  managed = await trainer.client.studies.create(spec());
  await managed.result();
  reference = await outerStepsOf(managed);
});
afterAll(() => trainer[Symbol.asyncDispose]());

describe('a study with sparse windows', () => {
  it('has an outer step for each window, and one for the plain steps that are left', async () => {
    expect(managed.method).toMatchObject({ interval: INTERVAL, warmupWindows: 2, outer: { rate: 0.6 } });
    expect(managed.stateReason).toBe('1 of 1 trials succeeded');
    expect(reference.map(({ step }) => step)).toEqual(ENDS);
    const [left, ...windows] = reference.toReversed();
    for (const { window, step, update, report } of windows) {
      expect(window).toMatchObject({ rows: SIGMA, firstStep: step - SIGMA + 1 });
      expect(report?.verdict).toBeDefined();
      expect(update?.sources).toHaveLength(2);
    }
    expect(left).toMatchObject({ window: undefined, report: undefined, update: undefined });
    expect(left).toMatchObject({ differentiation: undefined, nextValues: windows[0]?.nextValues });
    expect(left?.validation.examples).toBeGreaterThan(0);
    const { stepsDone, outerStepsDone } = await managed.trial();
    expect([stepsDone, outerStepsDone]).toEqual([STEPS, ENDS.length]);
  });

  it('has a schedule of the values that held between updates', async () => {
    const { points } = await managed.schedule();
    expect(points.map(({ step }) => step)).toEqual([0, ...ENDS]);
    const [before, after] = points.slice(-2);
    expect(after?.values).toEqual(before?.values);
  });

  it('has nothing to reanalyze where there was no window', async () => {
    await managed.reanalyze(3);
    const error = await rejection(managed.reanalyze(4));
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(error.message).toMatch(/outerSteps\/4 has 0 hypergradients/);
  });
});

describe('a driven study with sparse windows', () => {
  /** Holds all values, so that windows can be compared. */
  async function held(method: Partial<Method>, steps: number): Promise<readonly OuterStep<QuickSpace>[]> {
    const study = await trainer.client.studies.create({ ...spec(method, steps), mode: 'driven' });
    for await (const window of study.drive()) await window.hold();
    return outerStepsOf(study);
  }

  it('takes the hypergradients that a study takes whose windows lie side by side, while the values hold', {
    timeout: 240_000,
  }, async () => {
    const end = ENDS[2] as number;
    const method = { estimator: 'mean' } as const;
    const sparse = await held(method, end);
    const dense = await held({ ...method, interval: WINDOW, warmupWindows: 1 }, end);
    expect(sparse.map(({ step }) => step)).toEqual(ENDS.slice(0, 3));
    for (const { step, window, averagedValidation } of sparse) {
      const same = dense[step / WINDOW - 1];
      expect(same?.step).toBe(step);
      // Steps with sensitivities round otherwise than plain ones.
      expect(averagedValidation.loss).toBeCloseTo(same?.averagedValidation.loss ?? Number.NaN, 4);
      const [rows, others] = [window, same?.window].map((of) =>
        of?.hypergradients?.flatMap((row) => [...row]),
      );
      const scale = Math.max(...(others ?? []).map(Math.abs));
      expect(rows).toHaveLength(2 * SIGMA);
      rows?.forEach((value, i) => {
        expect((value - (others?.[i] ?? Number.NaN)) / scale).toBeCloseTo(0, 2);
      });
    }
  });

  it('asks about each window and about no plain steps, and goes on bit for bit when it dies in these', {
    timeout: 240_000,
  }, async () => {
    const study = await trainer.client.studies.create({ ...spec(), mode: 'driven' });
    const asked: number[] = [];
    for await (const window of study.drive()) {
      await window.accept();
      if (window.index === 2) {
        await sleep(20);
        for (const { pid } of trainingProcesses(trainer.pid)) process.kill(pid, 'SIGKILL');
      }
      asked.push(window.index);
    }
    expect(asked).toEqual([1, 2, 3]);
    expect((await study.trial()).attempts).toBe(2);
    const made = ({ step, window, values, nextValues, trainLoss, validation }: OuterStep<QuickSpace>) => {
      return { step, window, values, nextValues, trainLoss, validation };
    };
    expect((await outerStepsOf(study)).map(made)).toEqual(reference.map(made));
  });
});
