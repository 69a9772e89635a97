import { Verdict, WindowReport } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, EvaluationPoint, Source } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { UNKNOWN_LOSS } from '../external/remote-learner.ts';
import { encodeRows } from '../resource/rows.ts';
import { type Before, conclude, suggest, type WindowFindings } from './policy.ts';

const rows = [Float64Array.of(1, 10), Float64Array.of(2, 30), Float64Array.of(9, 20)];
const report = (verdict: Verdict, trusted: boolean[] = [true, false]) =>
  WindowReport.fromPartial({
    verdict,
    verdictReason: 'because',
    glocal: encodeRows([Float64Array.of(5, 55)]),
    componentTrusted: trusted,
  });

describe('suggest', () => {
  it.each([
    [Estimator.LOCAL, [9, 20], Source.LOCAL],
    [Estimator.MEAN, [4, 20], Source.MEAN],
    [Estimator.MEDIAN, [2, 20], Source.MEDIAN],
  ])('estimator %s takes its row of the window', (estimator, expected, source) => {
    const suggestion = suggest(estimator, rows, undefined);
    expect(suggestion).toMatchObject({ action: 'move', sources: [source, source] });
    expect(suggestion.action === 'move' && [...suggestion.hypergradient]).toEqual(expected);
  });

  it('takes the glocal estimate where it is trusted and the mean elsewhere', () => {
    const suggestion = suggest(Estimator.GLOCAL, rows, report(Verdict.UNCERTAIN));
    expect(suggestion).toMatchObject({ sources: [Source.GLOCAL, Source.MEAN], reason: 'because' });
    expect(suggestion.action === 'move' && [...suggestion.hypergradient]).toEqual([5, 20]);
  });

  it.each([Verdict.NO_STEADY_MODE, Verdict.OSCILLATING])('takes the mean on verdict %s', (verdict) => {
    const suggestion = suggest(Estimator.GLOCAL, rows, report(verdict, [true, true]));
    expect(suggestion).toMatchObject({ sources: [Source.MEAN, Source.MEAN] });
    expect(suggestion.action === 'move' && [...suggestion.hypergradient]).toEqual([4, 20]);
  });

  it('holds on a degenerate window', () => {
    expect(suggest(Estimator.GLOCAL, rows, report(Verdict.DEGENERATE))).toEqual({
      action: 'hold',
      reason: 'because',
    });
  });

  it('rolls back on a diverging window and on a non-finite one, whatever the estimator', () => {
    expect(suggest(Estimator.GLOCAL, rows, report(Verdict.DIVERGING))).toEqual({
      action: 'rollBack',
      reason: 'because',
    });
    for (const estimator of [Estimator.LOCAL, Estimator.MEAN, Estimator.MEDIAN, Estimator.GLOCAL]) {
      const broken = [...rows, Float64Array.of(1, Number.NaN)];
      expect(suggest(estimator, broken, undefined).action).toBe('rollBack');
    }
  });

  it('falls back to the local hypergradient without a report, and says so', () => {
    expect(suggest(Estimator.GLOCAL, rows, undefined)).toMatchObject({
      sources: [Source.LOCAL, Source.LOCAL],
      reason: 'the DMD service did not answer',
    });
  });
});

describe('conclude', () => {
  const RULES = {
    estimator: Estimator.MEAN,
    evaluation: EvaluationPoint.AVERAGED,
    outer: { maxLossRise: 0.3, normalize: true },
    mayRiseBy: 0,
  };
  /** After some windows, the last of which has moved something. */
  const BEFORE: Before = {
    validationLoss: 2,
    averagedValidationLoss: 1,
    lowestLoss: 1,
    stepsDone: 100,
    canRetry: true,
    canLowerRates: true,
  };
  const window = (averagedLoss: number, others: Partial<WindowFindings> = {}): WindowFindings => ({
    hasWindow: true,
    rows,
    report: undefined,
    noReport: undefined,
    trainLoss: 1,
    hasLoss: true,
    validation: { loss: 9 },
    averagedValidation: { loss: averagedLoss },
    stepsDone: 150,
    ...others,
  });

  it('takes a step back that raised the loss by too much, once, and then lowers the rates', () => {
    expect(conclude(RULES, window(1.2), BEFORE).action).toBe('move');
    expect(conclude(RULES, window(1.4), BEFORE).action).toBe('rollBack');
    expect(conclude(RULES, window(1.4), { ...BEFORE, canRetry: false })).toMatchObject({
      action: 'lowerRates',
      goesBack: true,
      reason: 'the validation loss rose by 0.400, more than 0.3',
    });
    // The average follows what the last weights were before.
    const gains = { validation: { loss: 1.9 } };
    expect(conclude(RULES, window(1.4, gains), { ...BEFORE, canRetry: false }).action).toBe('move');
    const nothing = { ...BEFORE, canRetry: false, canLowerRates: false };
    expect(conclude(RULES, window(1.4), nothing).action).toBe('move');
  });

  it('lowers the rates of a window that diverges and cannot be taken back, if the loss says so, too', () => {
    const diverging = { report: report(Verdict.DIVERGING) };
    const rules = { ...RULES, estimator: Estimator.GLOCAL };
    const before = { ...BEFORE, canRetry: false };
    expect(conclude(rules, window(1.4, diverging), before)).toMatchObject({
      action: 'lowerRates',
      goesBack: true,
    });
    expect(conclude(rules, window(1.2, diverging), before).action).toBe('easeRates');
    // The average of a first window is still near the start.
    const first = { ...before, stepsDone: 0 };
    expect(conclude(rules, window(0.9, diverging), first).action).toBe('lowerRates');
    expect(conclude(rules, window(0.91, { ...diverging, validation: { loss: 2.1 } }), first).action).toBe(
      'easeRates',
    );
  });

  it('eases the rates of a window that diverges, unless the loss falls well or its hypergradients are as they are', () => {
    const diverging = { report: report(Verdict.DIVERGING) };
    const rules = { ...RULES, estimator: Estimator.GLOCAL };
    expect(conclude(rules, window(0.91, diverging), BEFORE)).toEqual({
      action: 'easeRates',
      reason: 'because; the validation loss did not rise by more than 0.3, so nothing is taken back',
    });
    expect(conclude(rules, window(0.89, diverging), BEFORE).action).toBe('hold');
    const unknown = { ...BEFORE, averagedValidationLoss: UNKNOWN_LOSS, lowestLoss: UNKNOWN_LOSS };
    expect(conclude(rules, window(UNKNOWN_LOSS, { ...diverging, hasLoss: false }), unknown).action).toBe(
      'hold',
    );
    expect(conclude(rules, window(1, diverging), unknown).action).toBe('hold');
    expect(conclude(rules, window(1, { ...diverging, hasLoss: false }), BEFORE).action).toBe('hold');
    const last = { ...rules, evaluation: EvaluationPoint.LAST_ITERATE };
    const fallen = { ...diverging, validation: { loss: 1.7 } };
    expect(conclude(last, window(1, fallen), BEFORE).action).toBe('hold');
    const asTheyAre = { ...rules, outer: { ...rules.outer, normalize: false } };
    const never = { ...rules, outer: { ...rules.outer, maxLossRise: 0 } };
    expect(conclude(asTheyAre, window(0.91, diverging), BEFORE).action).toBe('hold');
    expect(conclude(never, window(0.91, diverging), BEFORE).action).toBe('hold');
    expect(conclude(rules, window(0.91, diverging), { ...BEFORE, canLowerRates: false }).action).toBe('hold');
  });

  it('takes nothing back of losses that rise by no more than they may while nothing is wrong', () => {
    const mayRiseBy = Math.log(100);
    const rules = {
      ...RULES,
      estimator: Estimator.GLOCAL,
      outer: { maxLossRise: 0, normalize: true },
      mayRiseBy,
    };
    const diverging = { report: report(Verdict.DIVERGING), validation: { loss: 5 } };
    const first = { ...BEFORE, stepsDone: 0, canRetry: false };
    expect(conclude(rules, window(1.4, diverging), first).action).toBe('hold');
    expect(conclude(rules, window(1.4, diverging), BEFORE).action).toBe('hold');
    expect(conclude({ ...rules, mayRiseBy: 0 }, window(1.4, diverging), BEFORE).action).toBe('rollBack');
    expect(conclude(rules, window(1.4, { ...diverging, trainLoss: Number.NaN }), first).action).toBe(
      'lowerRates',
    );
    // One that has exploded says so by its size.
    const exploded = window(3e18, { ...diverging, validation: { loss: 5e23 } });
    expect(conclude(rules, exploded, BEFORE).action).toBe('rollBack');
    expect(conclude(rules, exploded, { ...BEFORE, canRetry: false })).toMatchObject({
      action: 'lowerRates',
      goesBack: true,
    });
    expect(conclude(rules, window(1.4, { ...diverging, validation: { loss: 5e23 } }), first).action).toBe(
      'lowerRates',
    );
    // Somebody who says how much it may rise is believed.
    const limited = { ...rules, outer: { maxLossRise: 0.3 } };
    expect(conclude(limited, window(1.4, diverging), BEFORE).action).toBe('rollBack');
  });

  it('lowers the rates, and takes nothing back, when several steps have raised the loss by too much', () => {
    const before = { ...BEFORE, lowestLoss: 0.85 };
    expect(conclude(RULES, window(1.1), before).action).toBe('move');
    expect(conclude(RULES, window(1.2), before)).toMatchObject({
      action: 'lowerRates',
      goesBack: false,
      reason: 'the validation loss is 0.350 above the lowest so far, more than 0.3',
    });
    // Also where a verdict would hold everything.
    const held = { report: report(Verdict.DIVERGING) };
    expect(conclude({ ...RULES, estimator: Estimator.GLOCAL }, window(1.2, held), before).action).toBe(
      'lowerRates',
    );
    expect(conclude(RULES, window(1.2), { ...before, canLowerRates: false }).action).toBe('move');
    expect(conclude(RULES, window(1.2, { validation: { loss: 1.9 } }), before).action).toBe('move');
  });

  it('looks at neither where no rise is too large, and lowers nothing that trains no more', () => {
    const never = { ...RULES, outer: { ...RULES.outer, maxLossRise: 0 } };
    const before = { ...BEFORE, lowestLoss: 0.5, canRetry: false };
    expect(conclude(never, window(9), before).action).toBe('move');
    expect(conclude(RULES, window(1.2, { hasWindow: false }), before).action).toBe('observe');
  });
});
