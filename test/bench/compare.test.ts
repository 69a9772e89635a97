import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/trainer.ts';
import { compareRuns } from './compare.ts';
import { comparisonTable, markdownReport } from './report.ts';
import { mergeRepeats, type Row } from './row.ts';
import { RunFileError, readRun } from './run-file.ts';

const row = (name: string, ...repeats: number[]): Row =>
  mergeRepeats(repeats.map((value) => [{ name, value, unit: 'ms', n: 10 }]))[0] as Row;

it('a figure that was measured several times is the median of them', () => {
  expect(row('a', 3, 1, 2)).toEqual({ name: 'a', value: 2, unit: 'ms', n: 30, repeats: [3, 1, 2] });
  expect(row('a', 3)).toEqual({ name: 'a', value: 3, unit: 'ms', n: 10 });
});

describe('a figure beside that of an earlier run', () => {
  const verdict = (before: Row, now: Row) => compareRuns([before], [now])[0];

  it('is higher or lower where no repetition of one reaches those of the other', () => {
    expect(verdict(row('a', 10, 11), row('a', 20, 22))).toMatchObject({
      ratio: 2,
      bounds: [20 / 11, 2.2],
      verdict: 'higher',
    });
    expect(verdict(row('a', 10, 11), row('a', 8, 9))).toMatchObject({ verdict: 'lower' });
  });

  it('is within noise where they overlap, however much the medians differ', () => {
    expect(verdict(row('a', 10, 10, 30), row('a', 25, 25, 25))).toMatchObject({
      ratio: 2.5,
      verdict: 'noise',
    });
  });

  it('says nothing where one of the runs measured it once', () => {
    expect(verdict(row('a', 10), row('a', 30, 31))).toMatchObject({ bounds: undefined, verdict: 'once' });
  });

  it('has no ratio where it was 0, or is new or gone', () => {
    expect(verdict(row('a', 0), row('a', 0))).toMatchObject({ ratio: undefined, verdict: 'same' });
    expect(compareRuns([row('a', 1)], [row('b', 1)]).map(({ name, verdict }) => [name, verdict])).toEqual([
      ['b', 'new'],
      ['a', 'gone'],
    ]);
  });
});

const EARLIER = { conditions: '2 × slow', measured: '2026-01-01T00:00:00Z', rows: [row('engine.a', 10, 11)] };
const NOW = { conditions: '2 × fast', measured: '2026-02-01T00:00:00Z', rows: [row('engine.a', 5, 5.5)] };

it('a report has the rows by group, the conditions of both runs, and the comparison', () => {
  const report = markdownReport(NOW, EARLIER);
  expect(report).toContain('## engine\n\n| row | value | unit | n | repetitions |');
  expect(report).toContain('| `engine.a` | 5.250 | ms | 20 | 5, 5.500 |');
  expect(report).toContain('| engine.a | 10.50 | 5.250 | ms | 0.5000 | 0.4545 to 0.5500 | lower |');
  expect(report).toContain('2 × slow');
  expect(report).toContain('2 × fast');
  expect(markdownReport(NOW, undefined)).not.toContain('earlier');
  expect(comparisonTable(EARLIER, NOW, false)).toMatch(
    /engine\.a +10\.50 +5\.250 +ms +0\.5000 +0\.4545 to 0\.5500 +lower/,
  );
});

describe('a file of an earlier run', () => {
  it('is read as it was written, also one from before there were conditions', async () => {
    const folder = await temporaryFolder();
    onTestFinished(() => folder.remove());
    const file = join(folder.path, 'run.json');
    writeFileSync(file, JSON.stringify(NOW));
    expect(readRun(file)).toEqual(NOW);
    writeFileSync(file, JSON.stringify({ rows: [row('a', 1)] }));
    expect(readRun(file)).toEqual({ conditions: 'unknown conditions', rows: [row('a', 1)] });
  });

  it('that is none is refused by its name, saying what makes one', () => {
    expect(() => readRun('no/such.json')).toThrow(RunFileError);
    expect(() => readRun('no/such.json')).toThrow(/no\/such\.json .*--json FILE/);
  });
});
