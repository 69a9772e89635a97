import { Verdict } from '@glocal/proto/glocal/v1/dmd';
import {
  type Decision,
  Estimator,
  EvaluationPoint,
  type Method,
  OuterOptimizer,
  OuterSchedule,
  type OuterStep,
  Source,
} from '@glocal/proto/glocal/v1/study';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LoopParts, OuterLoop, type SavedLoop } from './outer-loop.ts';
import { decodeState, encodeState } from './state.ts';
import { type Script, scriptedParts } from './testing.ts';

/** All but where the time went. */
const withoutTime = ({ timing: _timing, ...outerStep }: OuterStep) => outerStep;

interface Course {
  readonly outerSteps: readonly Omit<OuterStep, 'timing'>[];
  /** After each of them, and before the first. */
  readonly saved: readonly SavedLoop[];
  readonly ending: OuterLoop['ending'];
}

async function run(loop: OuterLoop): Promise<Course> {
  const saved = [loop.save()];
  const outerSteps: Omit<OuterStep, 'timing'>[] = [];
  while (!loop.done) {
    outerSteps.push(withoutTime(await loop.step()));
    saved.push(loop.save());
  }
  return { outerSteps, saved, ending: loop.ending };
}

const written = ({ state, snapshot }: SavedLoop): SavedLoop => ({
  state: decodeState(encodeState(state)),
  snapshot,
});

const estimators = [Estimator.GLOCAL, Estimator.LOCAL, Estimator.MEAN, Estimator.GLOBAL, Estimator.FIXED];
const outer = OuterOptimizer.create({ rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 });
const methods = fc.record({
  outer: fc
    .record({
      schedule: fc.constantFrom(OuterSchedule.CONSTANT, OuterSchedule.COSINE),
      maxLossRise: fc.constantFrom(0, 0.5),
      normalize: fc.boolean(),
    })
    .map((options) => ({ ...outer, ...options })),
  evaluation: fc.constantFrom(EvaluationPoint.LAST_ITERATE, EvaluationPoint.AVERAGED),
  trainings: fc.constant(1),
});

/** As many windows as a trial of five can have, each taken back once. */
const windows = { minLength: 11, maxLength: 11 };
const scripts: fc.Arbitrary<Script> = fc.record({
  hypergradients: fc.array(
    fc.oneof({ weight: 6, arbitrary: fc.double({ min: -5, max: 5, noNaN: true }) }, fc.constant(Number.NaN)),
    windows,
  ),
  validation: fc.array(fc.double({ min: 0, max: 3, noNaN: true }), windows),
  averaged: fc.array(fc.double({ min: 0, max: 3, noNaN: true }), windows),
  verdicts: fc.array(fc.constantFrom(Verdict.TRUSTED, Verdict.DIVERGING, Verdict.DEGENERATE, null), windows),
  learns: fc.constantFrom('lr', 'momentum'),
});

/** @param check is given the parts of a trial, as they are after so many of its windows. */
const forEveryTrial = (check: (partsAfter: (windows: number) => LoopParts) => Promise<void>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.constantFrom(...estimators), scripts, methods, (estimator, script, method) =>
      check((after) => scriptedParts(estimator, 5, script, method, after).parts),
    ),
  );

describe('an outer loop that is saved and resumed', () => {
  it('takes the path of one that never stopped, from any boundary, also after a halved rate', async () => {
    let [halved, lowered] = [0, 0];
    await forEveryTrial(async (partsAfter) => {
      const whole = await run(new OuterLoop(partsAfter(0)));
      lowered += whole.outerSteps.filter(({ update }) => update?.sources.includes(Source.LOWERED)).length;
      for (const [boundary, saved] of whole.saved.slice(0, -1).entries()) {
        if (saved.state.optimizer.rate < 0.1) halved += 1;
        const resumed = await run(new OuterLoop(partsAfter(boundary), written(saved)));
        expect(resumed.outerSteps).toEqual(whole.outerSteps.slice(boundary));
        expect(resumed.ending).toEqual(whole.ending);
        expect(resumed.saved.at(-1)).toEqual(whole.saved.at(-1));
      }
    });
    expect(halved).toBeGreaterThan(0);
    expect(lowered).toBeGreaterThan(0);
  });

  it('has nothing left to do when it was saved at its end', async () => {
    const { saved } = await run(new OuterLoop(scriptedParts(Estimator.LOCAL, 2).parts));
    const { parts } = scriptedParts(Estimator.LOCAL, 2, {}, {}, 2);
    expect(new OuterLoop(parts, written(saved.at(-1) as SavedLoop)).done).toBe(true);
  });
});

/** A decision about the next outer step of a loop. */
const decide = (loop: OuterLoop, action: Decision['action'], outerRate?: number): Decision => ({
  outerStep: loop.state.outerStepsDone + 1,
  action,
  outerRate,
});
const accept = { $case: 'accept', value: {} } as const;
const hold = { $case: 'hold', value: {} } as const;
const setLr = (value: number): Decision['action'] => ({
  $case: 'setValues',
  value: { values: [{ name: 'momentum', value, values: [] }] },
});
const stop = { $case: 'stop', value: { reason: 'enough' } } as const;

describe('an outer loop that is driven', () => {
  /** One outer step as its driver decides. */
  async function driven(loop: OuterLoop, action: Decision['action'], outerRate?: number) {
    const proposal = loop.propose(await loop.trainWindow());
    return loop.settle(proposal, decide(loop, action, outerRate));
  }
  const started = (
    windows: number,
    script: Script = {},
    estimator: Estimator = Estimator.LOCAL,
    method: Partial<Method> = {},
  ) => {
    const { parts, observed } = scriptedParts(estimator, windows, script, method);
    return { loop: new OuterLoop(parts), observed };
  };

  it('takes the path of one that nobody drives when all is accepted, also back from windows that diverge', async () => {
    await forEveryTrial(async (partsAfter) => {
      const managed = await run(new OuterLoop(partsAfter(0)));
      const loop = new OuterLoop(partsAfter(0));
      for (const { update, ...expected } of managed.outerSteps) {
        const { update: made, ...outerStep } = withoutTime(await driven(loop, accept));
        expect(outerStep).toEqual(expected);
        const decision = { outerStep: outerStep.index, action: accept, outerRate: undefined };
        expect(made).toEqual(
          update === undefined ? expect.objectContaining({ decision }) : { ...update, decision },
        );
      }
      expect(loop.done).toBe(true);
      expect(loop.save()).toEqual(managed.saved.at(-1));
      expect(loop.ending).toEqual(managed.ending);
    });
  });

  it('proposes what it would do, and has done nothing yet', async () => {
    const { loop } = started(2);
    const before = loop.save();
    const { outerStep } = loop.propose(await loop.trainWindow());
    expect(outerStep).toMatchObject({ index: 1, step: 4, update: { sources: [Source.LOCAL] } });
    expect(outerStep.nextValues[0]?.value).toBeCloseTo(0.4, 9);
    expect(loop.save()).toEqual(before);
  });

  it('moves to the values that it is given, and on from there as the optimizer would', async () => {
    const { loop, observed } = started(3);
    expect(await driven(loop, setLr(0.7))).toMatchObject({
      step: 4,
      nextValues: [{ value: 0.7 }],
      update: { sources: [Source.DRIVER], hypergradient: [], rolledBack: false, rate: 0.1 },
    });
    await driven(loop, accept);
    expect(observed.points).toEqual([0.5, 0.7]);
    expect(loop.state.optimizer.point[0]).toBeCloseTo(0.6, 9);
  });

  it('holds where it is told to', async () => {
    const { loop, observed } = started(2);
    const { update } = await driven(loop, hold);
    expect(update).toMatchObject({ sources: [Source.HELD], reason: 'the driver held all values' });
    await driven(loop, accept);
    expect(observed.points).toEqual([0.5, 0.5]);
  });

  it('goes on with the rate that it is given, from the update on that comes with it', async () => {
    const { loop, observed } = started(3);
    expect(await driven(loop, accept, 0.2)).toMatchObject({ update: { rate: 0.2 } });
    expect(await driven(loop, hold, 0.05)).toMatchObject({ update: { rate: 0.05 } });
    await driven(loop, accept);
    expect(observed.points).toEqual([0.5, expect.closeTo(0.3, 9), expect.closeTo(0.3, 9)]);
    expect(loop.state.optimizer.point[0]).toBeCloseTo(0.25, 9);
    expect(loop.state.optimizer.rate).toBe(0.05);
  });

  it('makes an update with the rate that it is given, and lets it fall from there as the schedule does', async () => {
    const method = { outer: { ...outer, beta1: 0, beta2: 0, schedule: OuterSchedule.COSINE } };
    const { loop } = started(4, {}, Estimator.LOCAL, method);
    await driven(loop, accept);
    await driven(loop, hold);
    expect((await driven(loop, accept, 0.04)).update?.rate).toBeCloseTo(0.04, 12);
    expect(loop.state.optimizer.rate).toBeCloseTo(0.08, 12);
    const last = (1 - Math.SQRT2 / 2) / 2;
    expect((await driven(loop, accept)).update?.rate).toBeCloseTo(0.08 * last, 12);
    expect(loop.state.optimizer.point[0]).toBeCloseTo(0.5 - 0.1 - 0.04 - 0.08 * last, 6);
  });

  it('ends when it is told to, at the end of the window', async () => {
    const { loop } = started(3);
    const outerStep = await driven(loop, stop);
    expect(outerStep).toMatchObject({ step: 4, update: { reason: 'the driver stopped the trial: enough' } });
    expect(loop.done).toBe(true);
    expect(loop.ending).toEqual({ outcome: 'stopped', reason: 'enough' });
    expect(loop.state).toMatchObject({ stepsDone: 4, outerStepsDone: 1 });
  });

  describe('after a window that is not finite', () => {
    const diverging: Script = { hypergradients: [1, Number.NaN, 1, 1] };

    it('makes the last move again at the rate that comes with accepting', async () => {
      const { loop, observed } = started(3, diverging);
      await driven(loop, accept);
      expect(await driven(loop, accept, 0.01)).toMatchObject({
        step: 4,
        update: { rolledBack: true, rate: 0.01 },
      });
      expect(observed.restored).toEqual([4]);
      expect(loop.state.optimizer.point[0]).toBeCloseTo(0.49, 9);
    });

    it('takes it back before it sets values or stops, and refuses to hold', async () => {
      for (const [action, point] of [
        [setLr(0.2), 0.2],
        [stop, 0.4],
      ] as const) {
        const { loop, observed } = started(3, diverging);
        await driven(loop, accept);
        const proposal = loop.propose(await loop.trainWindow());
        expect(() => loop.settle(proposal, decide(loop, hold))).toThrow(/not finite cannot be held/);
        const outerStep = loop.settle(proposal, decide(loop, action));
        expect(outerStep).toMatchObject({ index: 2, step: 4, update: { rolledBack: true } });
        expect(observed.restored).toEqual([4]);
        expect(loop.state.stepsDone).toBe(4);
        expect(loop.state.optimizer.point[0]).toBeCloseTo(point, 9);
      }
    });

    it('saves a trial that would give up by setting values', async () => {
      const { loop } = started(2, { hypergradients: [Number.NaN, 1, 1] });
      const proposal = loop.propose(await loop.trainWindow());
      expect(proposal.settlement.ending).toMatchObject({ outcome: 'infeasible' });
      loop.settle(proposal, decide(loop, setLr(0.02)));
      expect(loop.ending).toBeUndefined();
      await driven(loop, accept);
      await driven(loop, accept);
      expect(loop.state).toMatchObject({ stepsDone: 8, outerStepsDone: 3 });
    });
  });

  it('holds at the end of a window that diverges and is finite, against what is proposed', async () => {
    const script = { verdicts: [Verdict.TRUSTED, Verdict.DIVERGING], validation: [2, 1, 3, 1] };
    const { loop, observed } = started(3, script, Estimator.GLOCAL);
    await driven(loop, accept);
    const proposal = loop.propose(await loop.trainWindow());
    expect(proposal.outerStep).toMatchObject({ step: 4, update: { rolledBack: true } });
    expect(loop.settle(proposal, decide(loop, hold))).toMatchObject({
      step: 8,
      update: { rolledBack: false },
    });
    expect(observed.restored).toEqual([]);
  });
});
