import { Verdict } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, type OuterStep } from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OuterLoop, type SavedLoop } from './outer-loop.ts';
import { decodeState, encodeState } from './state.ts';
import { type Script, scriptedParts } from './testing.ts';

/** All but where the time went. */
const withoutTime = ({ timing: _timing, ...outerStep }: OuterStep) => outerStep;

interface Course {
  readonly outerSteps: readonly Omit<OuterStep, 'timing'>[];
  /** After each of them, and before the first. */
  readonly saved: readonly SavedLoop[];
  readonly infeasible: string | undefined;
}

async function run(loop: OuterLoop): Promise<Course> {
  const saved = [loop.save()];
  const outerSteps: Omit<OuterStep, 'timing'>[] = [];
  while (!loop.done) {
    outerSteps.push(withoutTime(await loop.step()));
    saved.push(loop.save());
  }
  return { outerSteps, saved, infeasible: loop.infeasible };
}

const written = ({ state, snapshot }: SavedLoop): SavedLoop => ({
  state: decodeState(encodeState(state)),
  snapshot,
});

const estimators = [Estimator.GLOCAL, Estimator.LOCAL, Estimator.MEAN, Estimator.GLOBAL, Estimator.FIXED];
const method = { outer: { rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 }, trainings: 1 };

/** As many windows as a trial of five can have, each taken back once. */
const windows = { minLength: 11, maxLength: 11 };
const scripts: fc.Arbitrary<Script> = fc.record({
  hypergradients: fc.array(
    fc.oneof({ weight: 6, arbitrary: fc.double({ min: -5, max: 5, noNaN: true }) }, fc.constant(Number.NaN)),
    windows,
  ),
  validation: fc.array(fc.double({ min: 0, max: 3, noNaN: true }), windows),
  verdicts: fc.array(fc.constantFrom(Verdict.TRUSTED, Verdict.DIVERGING, Verdict.DEGENERATE, null), windows),
});

describe('an outer loop that is saved and resumed', () => {
  it('takes the path of one that never stopped, from any boundary, also after a halved rate', async () => {
    let halved = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...estimators), scripts, async (estimator, script) => {
        const whole = await run(new OuterLoop(scriptedParts(estimator, 5, script, method).parts));
        for (const [boundary, saved] of whole.saved.slice(0, -1).entries()) {
          if (saved.state.optimizer.rate < 0.1) halved += 1;
          const { parts } = scriptedParts(estimator, 5, script, method, boundary);
          const resumed = await run(new OuterLoop(parts, written(saved)));
          expect(resumed.outerSteps).toEqual(whole.outerSteps.slice(boundary));
          expect(resumed.infeasible).toBe(whole.infeasible);
          expect(resumed.saved.at(-1)).toEqual(whole.saved.at(-1));
        }
      }),
    );
    expect(halved).toBeGreaterThan(0);
  });

  it('has nothing left to do when it was saved at its end', async () => {
    const { saved } = await run(new OuterLoop(scriptedParts(Estimator.LOCAL, 2).parts));
    const { parts } = scriptedParts(Estimator.LOCAL, 2, {}, {}, 2);
    expect(new OuterLoop(parts, written(saved.at(-1) as SavedLoop)).done).toBe(true);
  });
});

describe('an outer loop that is driven', () => {
  it('does what it is told in place of what the policy proposes', async () => {
    const { parts, observed } = scriptedParts(Estimator.LOCAL, 2);
    const loop = new OuterLoop(parts);
    const window = await loop.trainWindow();
    expect(loop.propose(window)).toMatchObject({ action: 'move' });
    const outerStep = loop.settle(window, { action: 'hold', reason: 'told to' });
    expect(outerStep).toMatchObject({ index: 1, step: 4, update: { reason: 'told to', hypergradient: [] } });
    await loop.step();
    expect(observed.points).toEqual([0.5, 0.5]);
  });
});
