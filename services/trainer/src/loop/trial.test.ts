import { Verdict } from '@glocal/proto/glocal/v1/dmd';
import {
  DmdAbsence,
  Estimator,
  EvaluationPoint,
  type Method,
  OuterOptimizer,
  OuterSchedule,
  type OuterStep,
  Source,
} from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { type Script, scriptedParts } from './testing.ts';
import { runTrial } from './trial.ts';

/** Runs a trial on a learner that follows the script. */
async function trial(
  estimator: Estimator,
  windows: number,
  script: Script = {},
  method: Partial<Method> = {},
  leaveAfter = Number.NaN,
) {
  const { parts, observed } = scriptedParts(estimator, windows, script, method);
  const outerSteps: OuterStep[] = [];
  const listener = {
    progress() {},
    outerStep: (outerStep: OuterStep) => void outerSteps.push(outerStep),
    isLeaving: () => outerSteps.length === leaveAfter,
  };
  const outcome = await runTrial({ ...parts, listener });
  return { outcome, outerSteps, ...observed };
}

/** The outer optimizer of these tests, with something more. */
const outer = (options: Partial<OuterOptimizer>) =>
  OuterOptimizer.create({ rate: 0.1, beta1: 0, beta2: 0, epsilon: 1e-12, ...options });

const sources = (outerSteps: readonly OuterStep[]) => outerSteps.map(({ update }) => update?.sources);

describe('runTrial', () => {
  it.each([
    [0, 'left'],
    [2, 'left'],
    [3, 'succeeded'],
  ])(
    'leaves the trial at the boundary at which it is told to: after %i of 3 it has %s',
    async (after, outcome) => {
      const left = await trial(Estimator.LOCAL, 3, {}, {}, after);
      expect(left.outcome.outcome).toBe(outcome);
      expect(left.outerSteps).toHaveLength(after);
    },
  );

  it('moves against the estimate after each window, and trains the next one there', async () => {
    const { outcome, outerSteps, points } = await trial(Estimator.LOCAL, 3);
    expect(outcome.outcome).toBe('succeeded');
    expect(points).toEqual([0.5, expect.closeTo(0.4, 9), expect.closeTo(0.3, 9)]);
    expect(outerSteps.map(({ index, step }) => [index, step])).toEqual([
      [1, 4],
      [2, 8],
      [3, 12],
    ]);
    expect(outerSteps[0]).toMatchObject({
      name: 'studies/a/trials/0/outerSteps/1',
      values: [{ name: 'momentum', value: 0.5 }],
      nextValues: [{ name: 'momentum', value: expect.closeTo(0.4, 9) }],
      window: { components: ['momentum'], firstStep: 4, rows: 1 },
      update: { sources: [Source.LOCAL], rolledBack: false, clipped: [] },
    });
  });

  it('takes the last sigma hypergradients of a window, and says what was clipped', async () => {
    const { outerSteps } = await trial(Estimator.MEAN, 6);
    expect(outerSteps[0]?.window).toMatchObject({ firstStep: 3, rows: 2 });
    expect(outerSteps.map(({ update }) => update?.clipped)).toEqual([
      [],
      [],
      [],
      [],
      ['momentum'],
      ['momentum'],
    ]);
  });

  it('moves nothing and asks for no hypergradient with FIXED', async () => {
    const { outerSteps, points } = await trial(Estimator.FIXED, 2, {
      hypergradients: [Number.NaN, Number.NaN],
    });
    expect(points).toEqual([0.5, 0.5]);
    expect(outerSteps[0]).toMatchObject({ window: undefined, report: undefined, update: undefined });
  });

  it('uses the local hypergradient while the DMD service is away', async () => {
    const { outerSteps } = await trial(Estimator.GLOCAL, 2, { verdicts: [null, Verdict.TRUSTED] });
    expect(sources(outerSteps)).toEqual([[Source.LOCAL], [Source.GLOCAL]]);
    expect(outerSteps[0]?.report).toBeUndefined();
  });

  it('says of each window whether it fell back, and at the end how many did', async () => {
    const { outcome, outerSteps } = await trial(Estimator.GLOCAL, 3, {
      verdicts: [null, Verdict.TRUSTED, null],
    });
    expect(outerSteps.map(({ update }) => update?.fellBack)).toEqual([true, false, true]);
    expect(outcome.reason).toBe(
      'all 12 inner steps done; 2 of 3 outer steps used the local hypergradient because the DMD service gave no report',
    );
  });

  it('falls back on a window that the DMD service fails on, and says so', async () => {
    const { outcome, outerSteps } = await trial(Estimator.GLOCAL, 2, {
      verdicts: [null, Verdict.TRUSTED],
      missing: 'failed',
    });
    expect(outcome.outcome).toBe('succeeded');
    expect(outerSteps[0]?.update).toMatchObject({
      sources: [Source.LOCAL],
      fellBack: true,
      reason: 'the DMD service failed on this window: DMD service: no report',
    });
  });

  it('is left before the window, to wait for a DMD service that is away, when the study says so', async () => {
    const pause = { dmdAbsence: DmdAbsence.PAUSE };
    const running = trial(Estimator.GLOCAL, 2, { verdicts: [Verdict.TRUSTED, null] }, pause);
    await expect(running).rejects.toMatchObject({
      name: 'PausedError',
      pause: { cause: 'dmd', why: 'the DMD service did not answer: DMD service: no report' },
    });
  });

  it('does not wait for a DMD service that fails on a window: it has answered', async () => {
    const script = { verdicts: [null, Verdict.TRUSTED], missing: 'failed' } as const;
    const { outerSteps } = await trial(Estimator.GLOCAL, 2, script, { dmdAbsence: DmdAbsence.PAUSE });
    expect(outerSteps[0]?.update?.fellBack).toBe(true);
  });

  it('fails when the DMD service refuses its windows', async () => {
    const running = trial(Estimator.GLOCAL, 2, { verdicts: [null], missing: 'refused' });
    await expect(running).rejects.toThrow('DMD service: no report');
  });

  it('does not begin when its steps are more than messages can count', async () => {
    const running = trial(Estimator.GLOBAL, 2 ** 28, {}, { trainings: 3 });
    await expect(running).rejects.toThrow(/3221225472 inner steps in all; at most 2147483647/);
  });

  it('goes back once when a window is not finite, and makes the last move again at half the rate', async () => {
    const { outcome, outerSteps, restored, points } = await trial(Estimator.LOCAL, 3, {
      hypergradients: [1, Number.NaN, 1, 1],
    });
    expect(outcome.outcome).toBe('succeeded');
    expect(restored).toEqual([4]);
    expect(points).toEqual([0.5, expect.closeTo(0.4, 9), expect.closeTo(0.45, 9), expect.closeTo(0.4, 9)]);
    expect(outerSteps.map(({ step, update }) => [step, update?.rolledBack])).toEqual([
      [4, false],
      [4, true],
      [8, false],
      [12, false],
    ]);
  });

  it('is infeasible when going back does not help', async () => {
    const { outcome, outerSteps } = await trial(Estimator.LOCAL, 3, {
      hypergradients: [1, Number.NaN, Number.NaN],
    });
    expect(outcome).toEqual({
      outcome: 'infeasible',
      reason: expect.stringContaining('not finite at step 8'),
    });
    expect(outerSteps).toHaveLength(3);
  });

  it('gives the optimizer hypergradients by their size in the window, where it is told to', async () => {
    // Without Adam's moments a step is the rate times what it gets, over its size: seen with an epsilon of 1.
    const options = { epsilon: 1, rate: 0.1 };
    const move = async (normalize: boolean, hypergradient: number) => {
      const script = { hypergradients: [hypergradient, 0] };
      const method = { outer: outer({ ...options, normalize }) };
      const { outerSteps, points } = await trial(Estimator.LOCAL, 2, script, method);
      expect(outerSteps[0]?.update?.hypergradient).toEqual([hypergradient]);
      return 0.5 - (points[1] ?? Number.NaN);
    };
    expect(await move(true, 1e-6)).toBeCloseTo(0.05, 9);
    expect(await move(true, -1e6)).toBeCloseTo(-0.05, 9);
    expect(await move(false, 1e-6)).toBeCloseTo(1e-7, 9);
  });

  it('lowers the learning rate tenfold where no move is left to take back', async () => {
    const { outcome, restored, outerSteps, points } = await trial(Estimator.LOCAL, 2, {
      learns: 'lr',
      hypergradients: [Number.NaN, 1, 1],
    });
    expect(restored).toEqual([0]);
    expect(points).toEqual([0.5, expect.closeTo(0.05, 9), expect.anything()]);
    expect(outerSteps[0]?.update).toMatchObject({
      rolledBack: true,
      reason: 'a loss or hypergradient is not finite; the learning rate is lowered',
    });
    expect(outcome).toMatchObject({ outcome: 'succeeded' });
  });

  it('keeps the learning rate with FIXED, of which that is asked', async () => {
    const { outcome, points } = await trial(Estimator.FIXED, 2, {
      learns: 'lr',
      validation: [1, Number.NaN],
    });
    expect(points).toEqual([0.5]);
    expect(outcome).toMatchObject({ outcome: 'infeasible' });
  });

  it('is infeasible when the learning rate is as low as it may be', async () => {
    const { outcome, points } = await trial(Estimator.LOCAL, 2, {
      learns: 'lr',
      hypergradients: [Number.NaN, Number.NaN],
    });
    expect(points).toEqual([0.5, expect.closeTo(0.05, 9)]);
    expect(outcome).toMatchObject({ outcome: 'infeasible' });
  });

  it.each([
    { what: 'a rise that is too large', verdicts: [], maxLossRise: 0.5 },
    { what: 'DIVERGING', verdicts: [Verdict.DIVERGING], maxLossRise: 0 },
  ])(
    'lowers the learning rate after $what in the first window, and in no later one',
    async ({ verdicts, maxLossRise }) => {
      const script: Script = { learns: 'lr', verdicts, validation: [2, 3, 1, 2, 3, 1] };
      const { restored, points } = await trial(Estimator.GLOCAL, 2, script, {
        outer: outer({ maxLossRise }),
      });
      expect(restored[0]).toBe(0);
      expect(points[1]).toBeCloseTo(0.05, 9);
      expect(restored.slice(1)).not.toContain(0);
    },
  );

  it('goes back on DIVERGING when the validation loss rose', async () => {
    const { restored, outerSteps } = await trial(Estimator.GLOCAL, 2, {
      verdicts: [Verdict.TRUSTED, Verdict.DIVERGING],
      validation: [2, 1, 3, 1, 1],
    });
    expect(restored).toEqual([4]);
    expect(outerSteps[1]?.update).toMatchObject({ rolledBack: true, reason: 'because', rate: 0.05 });
  });

  it('holds on DIVERGING when the validation loss rose by no more than an outer step may raise it', async () => {
    const script = { verdicts: [Verdict.TRUSTED, Verdict.DIVERGING], validation: [2, 1, 1.2, 1, 1] };
    const { restored, outerSteps } = await trial(Estimator.GLOCAL, 2, script, {
      outer: outer({ maxLossRise: 0.3 }),
    });
    expect(restored).toEqual([]);
    expect(sources(outerSteps)[1]).toEqual([Source.HELD]);
    expect(outerSteps[1]?.update?.reason).toMatch(/did not rise by more than 0.3/);
  });

  it('pushes the learning rate down on DIVERGING when the validation loss hardly fell', async () => {
    const script: Script = {
      ...{ learns: 'lr', verdicts: [Verdict.TRUSTED, Verdict.DIVERGING] },
      ...{ hypergradients: [-1, 1e9], validation: [2, 1.5, 1.4, 1.3] },
    };
    const { restored, outerSteps, points } = await trial(Estimator.GLOCAL, 3, script, {
      outer: outer({ maxLossRise: 0.3, normalize: true }),
    });
    expect(restored).toEqual([]);
    expect(points).toEqual([0.5, expect.closeTo(0.6, 9), expect.closeTo(0.5, 9)]);
    expect(sources(outerSteps)[1]).toEqual([Source.LOWERED]);
    expect(outerSteps[1]?.update).toMatchObject({
      ...{ hypergradient: [], rolledBack: false },
      reason: expect.stringMatching(/nothing is taken back; the learning rate is pushed down$/),
    });
  });

  it('knows the lowest loss still after it has pushed the learning rate down', async () => {
    const script: Script = {
      ...{ learns: 'lr', verdicts: [Verdict.TRUSTED, Verdict.DIVERGING, Verdict.TRUSTED] },
      validation: [2, 1, 1.25, 1.45, 1.4],
    };
    const { outerSteps } = await trial(Estimator.GLOCAL, 4, script, {
      outer: outer({ maxLossRise: 0.3, normalize: true }),
    });
    expect(outerSteps[1]?.update?.reason).toMatch(/is pushed down$/);
    expect(outerSteps[2]?.update?.reason).toMatch(/0.450 above the lowest so far/);
  });

  it.each([
    [EvaluationPoint.LAST_ITERATE, [4]],
    [EvaluationPoint.AVERAGED, []],
  ])('looks at the loss where hypergradients are taken, at point %i', async (evaluation, expected) => {
    const script: Script = {
      verdicts: [Verdict.TRUSTED, Verdict.DIVERGING],
      validation: [2, 1, 3, 1, 1],
      averaged: [2, 1, 0.5, 0.4, 0.3],
    };
    expect((await trial(Estimator.GLOCAL, 2, script, { evaluation })).restored).toEqual(expected);
  });

  it('holds on DIVERGING while the validation loss falls: hypergradients grow in healthy training, too', async () => {
    const { restored, outerSteps, points } = await trial(Estimator.GLOCAL, 3, {
      verdicts: [Verdict.TRUSTED, Verdict.DIVERGING, Verdict.TRUSTED],
    });
    expect(restored).toEqual([]);
    expect(sources(outerSteps)[1]).toEqual([Source.HELD]);
    expect(outerSteps[1]?.update).toMatchObject({ rolledBack: false, rate: 0.1 });
    expect(points[2]).toBe(points[1]);
  });

  describe('with an outer rate that falls as half a cosine', () => {
    const cosine = { outer: outer({ schedule: OuterSchedule.COSINE }) };
    const rates = (outerSteps: readonly OuterStep[]) => outerSteps.map(({ update }) => update?.rate);

    it('goes by the inner steps, also where windows are sparse', async () => {
      const sparse = { ...cosine, interval: 8, warmupWindows: 2 };
      const { outerSteps } = await trial(Estimator.LOCAL, 6, {}, sparse);
      // Windows end after 4, 8, 16 and 24 of 24 steps, and begin their outer steps after 0, 4, 8 and 16.
      const share = (done: number) => (1 + Math.cos((Math.PI * done) / 24)) / 2;
      expect(rates(outerSteps)).toEqual([0, 4, 8, 16].map((done) => expect.closeTo(0.1 * share(done), 12)));
    });

    it('makes update k of S with its share of the rate', async () => {
      const { outerSteps, points } = await trial(Estimator.LOCAL, 2, {}, cosine);
      expect(rates(outerSteps)).toEqual([0.1, expect.closeTo(0.05, 12)]);
      expect(points).toEqual([0.5, expect.closeTo(0.4, 9)]);
      expect(outerSteps[1]?.nextValues[0]?.value).toBeCloseTo(0.35, 9);
    });

    it('counts a window that was taken back once, and halves what the schedule says from then on', async () => {
      const script = { hypergradients: [1, 1, Number.NaN, 1, 1, 1] };
      const { outerSteps } = await trial(Estimator.LOCAL, 4, script, cosine);
      const share = (k: number) => (1 + Math.cos((Math.PI * k) / 4)) / 2;
      const expected = [0.1 * share(0), 0.1 * share(1), 0.05 * share(1), 0.05 * share(2), 0.05 * share(3)];
      expect(rates(outerSteps)).toEqual(expected.map((rate) => expect.closeTo(rate, 12)));
    });

    it('counts a window whose values were held', async () => {
      const script = { verdicts: [Verdict.DEGENERATE, Verdict.TRUSTED] };
      const { outerSteps } = await trial(Estimator.GLOCAL, 2, script, cosine);
      expect(rates(outerSteps)[1]).toBeCloseTo(0.05, 12);
    });

    it('has an update for each training of GLOBAL', async () => {
      const { outerSteps } = await trial(Estimator.GLOBAL, 1, {}, { ...cosine, trainings: 2 });
      expect(rates(outerSteps)).toEqual([0.1, expect.closeTo(0.05, 12)]);
    });
  });

  describe('with a largest rise of the validation loss', () => {
    const limited = { outer: outer({ maxLossRise: 0.3 }) };
    const averaged = { ...limited, evaluation: EvaluationPoint.AVERAGED };

    it('takes an outer step back that raised it by more, and makes the last move again at half the rate', async () => {
      const script = { validation: [2, 1, 1.4, 0.9, 0.8] };
      const { outerSteps, restored, points } = await trial(Estimator.LOCAL, 3, script, limited);
      expect(restored).toEqual([4]);
      expect(points.slice(0, 3)).toEqual([0.5, expect.closeTo(0.4, 9), expect.closeTo(0.45, 9)]);
      expect(outerSteps[1]?.update).toMatchObject({
        rolledBack: true,
        rate: 0.05,
        reason: 'the validation loss rose by 0.400, more than 0.3',
      });
    });

    it.each([
      ['a smaller rise', { validation: [2, 1, 1.2, 0.9] }, limited],
      ['any rise where none is set', { validation: [2, 1, 9, 0.9] }, {}],
      [
        'a rise at the last weights, with hypergradients at averaged ones',
        { validation: [2, 1, 9, 9], averaged: [2, 1, 1, 1] },
        averaged,
      ],
    ])('lets %s pass', async (_, script, method) => {
      const { outerSteps, restored } = await trial(Estimator.LOCAL, 3, script, method);
      expect(restored).toEqual([]);
      expect(outerSteps.map(({ update }) => update?.rate)).toEqual([0.1, 0.1, 0.1]);
    });

    it('looks at the loss of the averaged weights where hypergradients are taken there', async () => {
      const script = { validation: [2, 1, 1, 1, 1], averaged: [2, 1, 1.4, 1, 1] };
      const { restored } = await trial(Estimator.LOCAL, 3, script, averaged);
      expect(restored).toEqual([4]);
    });

    it('moves on by the hypergradients of a window that rose as far after the smaller move', async () => {
      const script = { validation: [2, 1, 1.4, 1.5, 1.2] };
      const { outcome, outerSteps, restored, points } = await trial(Estimator.LOCAL, 3, script, limited);
      expect(outcome.outcome).toBe('succeeded');
      expect(restored).toEqual([4]);
      expect(outerSteps[2]?.update).toMatchObject({
        rolledBack: false,
        sources: [Source.LOCAL],
        reason: expect.stringMatching(/LOCAL; the validation loss rose by 0\.500.*nothing left to take back/),
      });
      expect(points[3]).toBeCloseTo(0.4, 9);
    });

    it('has nothing to take back after the first window', async () => {
      const { outerSteps, restored } = await trial(Estimator.LOCAL, 2, { validation: [2, 3, 2] }, limited);
      expect(restored).toEqual([]);
      expect(outerSteps[0]?.update).toMatchObject({ rolledBack: false, rate: 0.1 });
    });

    it('moves nothing with FIXED', async () => {
      const { outerSteps } = await trial(Estimator.FIXED, 2, { validation: [2, 3, 4] }, limited);
      expect(outerSteps.map(({ update }) => update)).toEqual([undefined, undefined]);
    });
  });

  it('takes a hypergradient at each s-th step back from the end of the window', async () => {
    const { askedAt, outerSteps } = await trial(Estimator.MEAN, 2, {}, { stride: 2 });
    expect(askedAt).toEqual([2, 4, 6, 8]);
    expect(outerSteps[0]?.window).toMatchObject({ firstStep: 2, rows: 2, stride: 2 });
  });

  it('takes hypergradients that come together at the end of a window', async () => {
    const { outcome, outerSteps } = await trial(Estimator.GLOCAL, 2, { atEnd: true });
    expect(outcome.outcome).toBe('succeeded');
    expect(outerSteps.map(({ window }) => window?.rows)).toEqual([2, 2]);
  });

  it('trains from scratch for each update of GLOBAL', async () => {
    const { outcome, outerSteps, restored, points } = await trial(Estimator.GLOBAL, 1, {}, { trainings: 3 });
    expect(outcome).toMatchObject({ outcome: 'succeeded', reason: 'all 12 inner steps done' });
    expect(restored).toEqual([0, 0, 0]);
    expect(points).toEqual([0.5, expect.closeTo(0.4, 9), expect.closeTo(0.3, 9)]);
    expect(outerSteps.map(({ step, window }) => [step, window?.rows])).toEqual([
      [4, 1],
      [8, 1],
      [12, 1],
    ]);
  });
});
