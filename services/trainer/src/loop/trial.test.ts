import { DmdOptions, Verdict, WindowReport } from '@glocal/proto/glocal/v1/dmd';
import {
  Estimator,
  Grouping,
  type Method,
  type OuterStep,
  Scale,
  Source,
  Study,
} from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { DmdError } from '../dmd/errors.ts';
import { SearchPoint } from '../hyper/search-point.ts';
import { asComplete } from '../resource/complete-study.ts';
import { encodeRows } from '../resource/rows.ts';
import type { Learner } from './learner.ts';
import { runTrial } from './trial.ts';

const WINDOW = 4;
const SIGMA = 2;

/** What training shows in its windows, one after the other, retried ones included. */
interface Script {
  /** Of the two hypergradients of each window, or of both; 1 by default. */
  readonly hypergradients?: readonly number[];
  /** Before training, then after each window; falling by default. */
  readonly validation?: readonly number[];
  /** Verdict of each window, or null while the service is away; TRUSTED by default. */
  readonly verdicts?: readonly (Verdict | null)[];
  /** Whether hypergradients come at the end of their window, as in reverse mode. */
  readonly atEnd?: boolean;
}

/** Runs a trial on a learner that follows the script. */
async function trial(
  estimator: Estimator,
  windows: number,
  script: Script = {},
  method: Partial<Method> = {},
) {
  let started = 0;
  let steps = 0;
  let asked = 0;
  const askedAt: number[] = [];
  const restored: number[] = [];
  const points: number[] = [];
  const row = () => Float64Array.of(script.hypergradients?.[started - 1] ?? 1);
  const learner: Learner = {
    startWindow(point) {
      started += 1;
      points.push(point[0] ?? Number.NaN);
    },
    step() {
      steps += 1;
    },
    hypergradient() {
      askedAt.push(steps);
      asked += 1;
      return script.atEnd ? undefined : row();
    },
    endWindow() {
      const rows = Array.from({ length: script.atEnd ? asked : 0 }, row);
      asked = 0;
      return rows;
    },
    takeTrainLoss: () => 1,
    evaluate: () => ({ loss: script.validation?.[started] ?? 10 - started, accuracy: 0.5, examples: 10 }),
    snapshot: () => ({ state: steps }),
    restore({ state }) {
      steps = state as number;
      restored.push(steps);
    },
  };
  const space = {
    parameters: [
      {
        name: 'lr',
        kind: {
          $case: 'float' as const,
          value: { min: 0.01, max: 1, initial: 0.5, scale: Scale.LINEAR, grouping: Grouping.NONE },
        },
      },
    ],
  };
  const outerSteps: OuterStep[] = [];
  const outcome = await runTrial({
    study: asComplete(
      Study.fromPartial({
        space,
        problem: {},
        training: { steps: windows * WINDOW, seeds: [0] },
        method: {
          estimator,
          window: WINDOW,
          sigma: SIGMA,
          stride: 1,
          dmd: DmdOptions.create({ delays: 1 }),
          outer: { rate: 0.1, beta1: 0, beta2: 0, epsilon: 1e-12 },
          ...method,
        },
      }),
    ),
    trial: 'studies/a/trials/0',
    space: new SearchPoint(space, { layers: [], classes: 2, initialNetwork: () => [] }),
    differentiation: undefined,
    learner,
    dmd: {
      openWindow: () => ({
        push() {},
        abandon() {},
        async report() {
          const verdict = script.verdicts?.[started - 1] ?? Verdict.TRUSTED;
          if (script.verdicts?.[started - 1] === null) throw new DmdError('away', 'away');
          return WindowReport.fromPartial({
            verdict,
            verdictReason: 'because',
            glocal: encodeRows([Float64Array.of(-1)]),
            componentTrusted: [true],
          });
        },
      }),
    },
    listener: { progress() {}, outerStep: (outerStep) => void outerSteps.push(outerStep) },
  });
  return { outcome, outerSteps, restored, points, askedAt };
}

const sources = (outerSteps: readonly OuterStep[]) => outerSteps.map(({ update }) => update?.sources);

describe('runTrial', () => {
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
      values: [{ name: 'lr', value: 0.5 }],
      nextValues: [{ name: 'lr', value: expect.closeTo(0.4, 9) }],
      window: { components: ['lr'], firstStep: 4, rows: 1 },
      update: { sources: [Source.LOCAL], rolledBack: false, clipped: [] },
    });
  });

  it('takes the last sigma hypergradients of a window, and says what was clipped', async () => {
    const { outerSteps } = await trial(Estimator.MEAN, 6);
    expect(outerSteps[0]?.window).toMatchObject({ firstStep: 3, rows: 2 });
    expect(outerSteps.map(({ update }) => update?.clipped)).toEqual([[], [], [], [], ['lr'], ['lr']]);
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

  it('goes back on DIVERGING when the validation loss rose', async () => {
    const { restored, outerSteps } = await trial(Estimator.GLOCAL, 2, {
      verdicts: [Verdict.TRUSTED, Verdict.DIVERGING],
      validation: [2, 1, 3, 1, 1],
    });
    expect(restored).toEqual([4]);
    expect(outerSteps[1]?.update).toMatchObject({ rolledBack: true, reason: 'because', rate: 0.05 });
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
