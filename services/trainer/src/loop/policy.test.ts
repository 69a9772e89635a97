import { Verdict, WindowReport } from '@glocal/proto/glocal/v1/dmd';
import { Estimator, Source } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { encodeRows } from '../resource/rows.ts';
import { suggest } from './policy.ts';

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
