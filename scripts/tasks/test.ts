/** `npm test`: all suites, TypeScript and Rust, and one line that adds them up. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';
import { add, type Counts, countCargo, countVitest, summary } from './counts.ts';
import { type Failure, failuresOfCargo, tell } from './failures.ts';
import type { VitestReport } from './vitest-report.ts';

interface Outcome {
  readonly counts: Counts;
  readonly failures: readonly Failure[];
}

/**
 * Runs both suites, also when the first one fails, and prints a few figures where no tests were chosen. What failed is told once more at the end. The last line is
 * `N passed, N failed`, with `, N skipped` where some were.
 *
 * @param args options and filters for vitest
 * @param options.full with the slow suites: `*.full.test.ts` and Rust's ignored tests
 * @returns the exit code
 */
export async function test(args: readonly string[], { full }: { full: boolean }): Promise<number> {
  const vitest = await runVitest(args, full);
  const cargo = await runCargo(full);
  if (args.length === 0) await printFigures();
  const failures = [...vitest.failures, ...cargo.failures];
  if (failures.length > 0) console.log(`\n${tell(failures)}\n`);
  const counts = add(vitest.counts, cargo.counts);
  console.log(summary(counts));
  return counts.failed === 0 ? 0 : 1;
}

/** A few benchmarks within seconds, for people to look at: no test, and a busy machine fails nothing. */
async function printFigures(): Promise<void> {
  await run(process.execPath, ['test/bench/main.ts', '--only', 'quick'], { cwd: root });
}

async function runVitest(args: readonly string[], full: boolean): Promise<Outcome> {
  const reportFile = join(root, '.glocal', 'test', 'vitest.json');
  mkdirSync(dirname(reportFile), { recursive: true });
  rmSync(reportFile, { force: true });
  const { code } = await run(
    'vitest',
    [
      'run',
      '--mode',
      full ? 'full' : 'test',
      '--reporter=default',
      `--reporter=${join(import.meta.dirname, 'vitest-report.ts')}`,
      `--outputFile=${reportFile}`,
      ...args,
    ],
    { cwd: root },
  );
  const report = readReport(reportFile);
  return outcome('vitest', countVitest(report, code), report?.failures ?? []);
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

async function runCargo(full: boolean): Promise<Outcome> {
  let output = '';
  const { code } = await run(
    'cargo',
    ['test', '--workspace', '--no-fail-fast', '--', ...(full ? ['--include-ignored'] : [])],
    {
      cwd: root,
      onStdout(text) {
        output += text;
        process.stdout.write(text);
      },
    },
  );
  return outcome('cargo test', countCargo(output, code), failuresOfCargo(output));
}

/** Failures that no test tells of are told of too: a suite that crashed, or did not compile. */
function outcome(suite: string, counts: Counts, failures: readonly Failure[]): Outcome {
  if (counts.failed <= failures.length) return { counts, failures };
  const crash = { name: suite, message: 'ended without having run all its tests: see its output above' };
  return { counts, failures: [...failures, crash] };
}
