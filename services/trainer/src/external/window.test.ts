import { Report } from '@glocal/proto/glocal/v1/study_service';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRow } from '../resource/rows.ts';
import { ReportedOtherwiseError, ReportedWindow } from './window.ts';

const SIZE = 3;
const COMPONENTS = ['a', 'b'];
const VALUES = [1, 2, 3, 4, 5, 6];
const report = (values: readonly number[], fields: Partial<Report> = {}) =>
  Report.fromPartial({ outerStep: 1, hypergradients: encodeRow(Float64Array.from(values)), ...fields });
const empty = () => new ReportedWindow(1, SIZE, COMPONENTS);
/** One with these values. */
function filled(...values: number[]): ReportedWindow {
  const window = empty();
  window.restore(report(values));
  return window;
}
const rows = (window: ReportedWindow) => Array.from({ length: window.rows }, (_, i) => [...window.row(i)]);

/** A way to cut a window into reports: rows, several rows, and parts of rows. */
const cuts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 6, maxLength: 6 });
function cut(sizes: readonly number[]): Report[] {
  const reports: Report[] = [];
  for (let start = 0; start < VALUES.length; ) {
    const size = sizes[reports.length] as number;
    const firstRow = start >> 1;
    const values =
      start % 2 === 0 && size > 1 ? VALUES.slice(start, start + 2 * (size - 1)) : [VALUES[start] as number];
    const isPart = values.length === 1;
    reports.push(report(values, { firstRow, firstComponent: isPart ? start % 2 : undefined }));
    start += values.length;
  }
  return reports;
}

describe('a window that is reported', () => {
  it('has the same rows in whatever parts they come, and again from what is kept of them', () => {
    fc.assert(
      fc.property(cuts, (sizes) => {
        const [window, restored] = [empty(), empty()];
        for (const part of cut(sizes)) {
          expect(window.isOver).toBe(false);
          restored.restore(window.take(part) as Report);
          expect({ rows: restored.rows, partial: restored.partial }).toEqual({
            rows: window.rows,
            partial: window.partial,
          });
        }
        expect(window.isOver).toBe(true);
        expect(rows(window)).toEqual([
          [1, 2],
          [3, 4],
          [5, 6],
        ]);
        expect(rows(restored)).toEqual(rows(window));
      }),
    );
  });

  it('takes what is new of a report that repeats what has come', () => {
    const window = filled(1, 2, 3);
    expect(window.take(report([1, 2]))).toBeUndefined();
    const added = window.take(report([3, 4, 5, 6], { firstRow: 1 }));
    expect(added?.hypergradients).toEqual(Buffer.from(encodeRow(Float64Array.of(4, 5, 6))));
    expect(window.isOver).toBe(true);
  });

  it('takes no other value than the one that has come', () => {
    const window = filled(1, 2, 0);
    for (const wrong of [report([1, 2.5]), report([-0], { firstRow: 1, firstComponent: 0 })]) {
      expect(() => window.take(wrong)).toThrow(ReportedOtherwiseError);
    }
    expect(() => window.take(report([1, 3]))).toThrow(/row 0, component 1 \(b\) of outer step 1/);
    expect({ rows: window.rows, partial: window.partial }).toEqual({ rows: 1, partial: 1 });
  });

  it('keeps the last figures that came', () => {
    const window = empty();
    window.take(report([], { trainLoss: 3, validation: { loss: 2, accuracy: 0.5, examples: 10 } }));
    window.take(report([1, 2], { trainLoss: 1 }));
    expect(window.trainLoss).toBe(1);
    expect(window.validation).toEqual({ loss: 2, accuracy: 0.5, examples: 10 });
  });

  it.each([
    { trainLoss: Number.NaN },
    { validation: { loss: Number.POSITIVE_INFINITY, accuracy: 0, examples: 0 } },
  ])('is over when the client says that training has diverged: %j', (figures) => {
    const window = empty();
    window.take(report([1, 2], figures));
    expect({ isOver: window.isOver, diverged: window.diverged, rows: window.rows }).toEqual({
      isOver: true,
      diverged: true,
      rows: 1,
    });
  });

  it.each<[string, Report]>([
    ['report.hypergradients', report([1])],
    ['report.hypergradients', Report.fromPartial({ hypergradients: Buffer.alloc(7) })],
    ['report.hypergradients', Report.fromPartial({ hypergradients: Buffer.alloc(7), firstComponent: 0 })],
    ['report.hypergradients', report([1, 2, 3], { firstComponent: 0 })],
    ['report.hypergradients', report([...VALUES, 7, 8])],
    ['report.hypergradients', report([1, Number.NaN])],
    ['report.hypergradients', report([Number.POSITIVE_INFINITY, 2])],
    ['report.first_row', report([1, 2], { firstRow: 1 })],
    ['report.first_row', report([1, 2], { firstRow: -1 })],
    ['report.first_row', report([1, 2], { firstRow: SIZE })],
    ['report.first_component', report([2], { firstComponent: 1 })],
    ['report.first_component', report([2], { firstComponent: 2 })],
    ['report.first_component', report([2], { firstComponent: -1 })],
    ['report.validation.accuracy', report([], { validation: { loss: 1, accuracy: 2, examples: 1 } })],
    ['report.validation.examples', report([], { validation: { loss: 1, accuracy: 1, examples: -1 } })],
  ])('refuses a wrong report by its field %s', (field, wrong) => {
    const window = empty();
    expect(() => window.take(wrong)).toThrow(
      expect.objectContaining({ violations: [expect.objectContaining({ field })] }),
    );
    expect({ rows: window.rows, partial: window.partial }).toEqual({ rows: 0, partial: 0 });
  });

  it('names row and component of a value that is not finite', () => {
    expect(() => filled(1, 2).take(report([3, Number.NaN], { firstRow: 1 }))).toThrow(
      /row 1, component 1 \(b\) is NaN/,
    );
  });

  it('compares with respect to the unconstrained coordinate, in which it has been kept', () => {
    const window = new ReportedWindow(1, SIZE, COMPONENTS, { derivatives: Float64Array.of(2, 10) });
    window.restore(report([2, 20, 6, 40]));
    expect(window.take(report([1, 2, 3, 4]))).toBeUndefined();
    expect(() => window.take(report([5], { firstRow: 1, firstComponent: 1 }))).toThrow(
      ReportedOtherwiseError,
    );
  });

  it('takes rows that an earlier version kept to the unconstrained coordinate', () => {
    const window = new ReportedWindow(1, SIZE, COMPONENTS, { derivatives: Float64Array.of(2, 10) });
    window.restore(report([1, 2, 3]), true);
    window.restore(report([40]));
    expect(rows(window)).toEqual([
      [2, 20],
      [6, 40],
    ]);
  });

  it('leaves nothing of the window before in its storage', () => {
    const before = filled(...VALUES);
    const window = new ReportedWindow(2, SIZE, COMPONENTS, { storage: before.storage });
    expect({ rows: window.rows, partial: window.partial }).toEqual({ rows: 0, partial: 0 });
    window.take(report([7, 8]));
    expect([...window.rowsFrom(0)]).toEqual([7, 8]);
  });

  it('refuses a part that would make its row infinite in the unconstrained coordinate, before it is kept', () => {
    const window = new ReportedWindow(1, SIZE, COMPONENTS, { derivatives: Float64Array.of(100, 1) });
    expect(() => window.take(report([Number.MAX_VALUE], { firstComponent: 0 }))).toThrow(
      /row 0, component 0 \(a\) is 1\.79.*e\+308, which is not finite with respect to the unconstrained/,
    );
    expect({ rows: window.rows, partial: window.partial }).toEqual({ rows: 0, partial: 0 });
    expect(window.take(report([1, Number.MAX_VALUE]))).toBeDefined();
  });
});
