/** How many tests passed, failed and were skipped, from what the test runners report. */
import { stripVTControlCharacters } from 'node:util';
import type { VitestReport } from './vitest-report.ts';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A suite that could not even start. */
export const nothingRan: Counts = { passed: 0, failed: 1, skipped: 0 };

/**
 * Counts of a vitest run.
 *
 * @param report undefined when vitest did not write one
 */
export function countVitest(report: VitestReport | undefined, exitCode: number): Counts {
  if (report === undefined) return nothingRan;
  const { passed, failures, skipped } = report;
  return noteCrash({ passed, failed: failures.length, skipped }, exitCode);
}

/**
 * Counts of a `cargo test` run, from its standard output. A suite that started and never reported its result crashed,
 * and counts as one failure.
 */
export function countCargo(output: string, exitCode: number): Counts {
  const text = stripVTControlCharacters(output);
  const started = text.match(/^running \d+ tests?$/gm)?.length ?? 0;
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let finished = 0;
  for (const [, passed, failed, ignored] of text.matchAll(
    /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm,
  )) {
    finished += 1;
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(ignored);
  }
  counts.failed += Math.max(0, started - finished);
  return noteCrash(counts, exitCode);
}

/** A runner that fails without a failed test (it did not compile, crashed, found no tests) is one failure. */
function noteCrash(counts: Counts, exitCode: number): Counts {
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** "12 passed, 0 failed", and the skipped ones if there are any. */
export function summary({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
