/** Outer steps with plain steps before their windows (docs/method.md, section 12.2). */

import { Verdict } from '@glocal/proto/glocal/v1/dmd';
import {
  type Decision,
  Estimator,
  type Method,
  OuterOptimizer,
  type OuterStep,
} from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countWindows } from '../resource/windows.ts';
import { OuterLoop, type Proposal, type SavedLoop } from './outer-loop.ts';
import { decodeState, encodeState } from './state.ts';
import { type Script, scriptedParts, WINDOW } from './testing.ts';
import { runTrial } from './trial.ts';

interface Sparse {
  readonly estimator?: Estimator;
  /** Inner steps in all. */
  readonly steps: number;
  readonly script?: Script;
  readonly method: Partial<Method>;
  readonly decide?: (proposal: Proposal) => Promise<Decision>;
}

async function train({ estimator = Estimator.LOCAL, steps, script, method, decide }: Sparse) {
  const { parts, observed } = scriptedParts(estimator, steps / WINDOW, script, method);
  const outerSteps: OuterStep[] = [];
  const progress: number[] = [];
  const listener = {
    progress: (stepsDone: number) => void progress.push(stepsDone),
    outerStep: (outerStep: OuterStep) => void outerSteps.push(outerStep),
    isLeaving: () => false,
    decide,
  };
  const outcome = await runTrial({ ...parts, listener });
  return { outcome, outerSteps, progress, ...observed };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('a trial with sparse windows', () => {
  const sparse = { steps: 20, method: { interval: 6, warmupWindows: 2 } };

  it('trains windows in a row first, then plain steps before each, and plain steps where no window fits', async () => {
    const { outcome, outerSteps, plainAt, progress } = await train(sparse);
    expect(outcome).toMatchObject({ outcome: 'succeeded', reason: 'all 20 inner steps done' });
    // [0, 4), [4, 8), [10, 14), [16, 20)
    expect(outerSteps.map(({ index, step }) => [index, step])).toEqual([
      [1, 4],
      [2, 8],
      [3, 14],
      [4, 20],
    ]);
    expect(plainAt).toEqual([8, 9, 14, 15]);
    expect(progress).toEqual(range(1, 21));
  });

  it('trains shorter windows first, with as many hypergradients', async () => {
    const method = { interval: 6, warmupWindows: 3, warmupWindowSteps: 2 };
    const { outerSteps, plainAt, askedAt } = await train({ steps: 14, method, estimator: Estimator.MEAN });
    expect(outerSteps.map(({ step }) => step)).toEqual([2, 4, 6, 12, 14]);
    expect(plainAt).toEqual([6, 7, 12, 13]);
    expect(askedAt).toEqual([1, 2, 3, 4, 5, 6, 11, 12]);
  });

  it('takes hypergradients at the last steps of each window, and moves once for each', async () => {
    const { askedAt, outerSteps, points } = await train({ ...sparse, estimator: Estimator.MEAN });
    expect(askedAt).toEqual([3, 4, 7, 8, 13, 14, 19, 20]);
    expect(outerSteps.map(({ window }) => [window?.firstStep, window?.rows])).toEqual([
      [3, 2],
      [7, 2],
      [13, 2],
      [19, 2],
    ]);
    expect(points).toEqual([0.5, 0.4, 0.3, 0.2].map((point) => expect.closeTo(point, 9)));
  });

  it('ends with an outer step that has neither window nor update where no window fits any more', async () => {
    const { outcome, outerSteps, plainAt } = await train({
      estimator: Estimator.GLOCAL,
      steps: 11,
      script: { verdicts: [Verdict.TRUSTED, null] },
      method: { interval: 6 },
    });
    expect(outcome.outcome).toBe('succeeded');
    expect(plainAt).toEqual([4, 5, 10]);
    expect(outerSteps.map(({ step, window, update }) => [step, window?.rows, update?.fellBack])).toEqual([
      [4, 2, false],
      [10, 2, true],
      [11, undefined, undefined],
    ]);
    const [, before, last] = outerSteps;
    expect(last).toMatchObject({ report: undefined, differentiation: undefined, trainLoss: 1 });
    expect([last?.values, last?.nextValues]).toEqual([before?.nextValues, before?.nextValues]);
    expect(last?.validation).toBeDefined();
  });

  it('goes back to before the plain steps when a window is not finite', async () => {
    const { outerSteps, plainAt, restored } = await train({
      steps: 10,
      script: { hypergradients: [1, Number.NaN, 1] },
      method: { interval: 6 },
    });
    expect(restored).toEqual([4]);
    expect(plainAt).toEqual([4, 5, 4, 5]);
    expect(outerSteps.map(({ step, update }) => [step, update?.rolledBack])).toEqual([
      [4, false],
      [4, true],
      [10, false],
    ]);
  });
});

describe('plain steps after the last window that go wrong', () => {
  const diverging = { steps: 6, script: { validation: [5, 4, Number.NaN, 3] }, method: { interval: 6 } };

  it('are made again after half of the last move', async () => {
    const { outcome, outerSteps, points } = await train(diverging);
    expect(outcome.outcome).toBe('succeeded');
    expect(outerSteps.map(({ step, update }) => [step, update?.rolledBack])).toEqual([
      [4, false],
      [4, true],
      [6, undefined],
    ]);
    expect(points).toEqual([0.5, 0.4, 0.45].map((point) => expect.closeTo(point, 9)));
  });

  it('are made again, too, when they raise the validation loss by more than the study allows', async () => {
    const outer = OuterOptimizer.fromPartial({
      rate: 0.1,
      beta1: 0,
      beta2: 0,
      epsilon: 1e-12,
      maxLossRise: 2,
    });
    const restored = async (loss: number) => {
      const method = { ...diverging.method, outer };
      return (await train({ ...diverging, script: { validation: [5, 4, loss, 3] }, method })).restored;
    };
    expect(await restored(6.5)).toEqual([4]);
    expect(await restored(5.5)).toEqual([]);
  });

  it('are the only ones without a window that a driver is asked about', async () => {
    const asked: number[] = [];
    const decide = async ({ outerStep: { index } }: Proposal): Promise<Decision> => {
      asked.push(index);
      return { outerStep: index, action: { $case: 'accept', value: {} }, outerRate: undefined };
    };
    await train({ ...diverging, decide });
    expect(asked).toEqual([1, 2]);
    asked.length = 0;
    const { outerSteps } = await train({ ...diverging, script: {}, decide });
    expect(asked).toEqual([1]);
    expect(outerSteps.map(({ update }) => update?.decision?.outerStep)).toEqual([1, undefined]);
  });
});

describe('a loop of sparse windows', () => {
  const patterns = fc.record({
    interval: fc.integer({ min: WINDOW, max: 4 * WINDOW }),
    warmupWindows: fc.integer({ min: 1, max: 3 }),
    warmupWindowSteps: fc.integer({ min: 2, max: WINDOW }),
  });
  const steps = fc.integer({ min: WINDOW, max: 12 * WINDOW });
  const estimators = fc.constantFrom(Estimator.LOCAL, Estimator.MEAN, Estimator.GLOCAL);

  it('updates as often as there are windows', async () => {
    await fc.assert(
      fc.asyncProperty(patterns, steps, estimators, async (pattern, total, estimator) => {
        const { outerSteps } = await train({ estimator, steps: total, method: pattern });
        const updates = outerSteps.filter(({ update }) => update !== undefined);
        expect(updates).toHaveLength(countWindows({ window: WINDOW, ...pattern }, total));
        expect(outerSteps.at(-1)?.step).toBe(total);
      }),
    );
  });

  it('goes on from any boundary as one that never stopped', async () => {
    const hypergradients = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.double({ min: -5, max: 5, noNaN: true }) },
        fc.constant(Number.NaN),
      ),
      {
        minLength: 26,
        maxLength: 26,
      },
    );
    await fc.assert(
      fc.asyncProperty(
        patterns,
        steps,
        estimators,
        hypergradients,
        async (pattern, total, estimator, rows) => {
          const loopAfter = (windows: number, saved?: SavedLoop) => {
            const script = { hypergradients: rows };
            const { parts } = scriptedParts(estimator, total / WINDOW, script, pattern, windows);
            return new OuterLoop(parts, saved);
          };
          const course = async (loop: OuterLoop) => {
            const saved = [loop.save()];
            const outerSteps: Omit<OuterStep, 'timing'>[] = [];
            while (!loop.done) {
              const { timing: _, ...outerStep } = await loop.step();
              outerSteps.push(outerStep);
              saved.push(loop.save());
            }
            return { outerSteps, saved };
          };
          const whole = await course(loopAfter(0));
          for (const [boundary, { state, snapshot }] of whole.saved.slice(0, -1).entries()) {
            const saved = { state: decodeState(encodeState(state)), snapshot };
            const resumed = await course(loopAfter(boundary, saved));
            expect(resumed.outerSteps).toEqual(whole.outerSteps.slice(boundary));
            expect(resumed.saved.at(-1)).toEqual(whole.saved.at(-1));
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
