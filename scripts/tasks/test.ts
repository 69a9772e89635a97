/** `npm test`: all suites, TypeScript and Rust, and one line that adds them up. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../bootstrap/run-process.mjs';
import { root } from '../root.ts';
import { add, type Counts, countCargo, countVitest, summary, type VitestReport } from './counts.ts';

/**
 * Runs both suites, also when the first one fails. The last line is `N passed, N failed`, with `, N skipped` where some
 * were.
 *
 * @param args options and filters for vitest
 * @param options.full with the slow suites: `*.full.test.ts` and Rust's ignored tests
 * @returns the exit code
 */
export async function test(args: readonly string[], { full }: { full: boolean }): Promise<number> {
  const counts = add(await runVitest(args, full), await runCargo(full));
  console.log(summary(counts));
  return counts.failed === 0 ? 0 : 1;
}

async function runVitest(args: readonly string[], full: boolean): Promise<Counts> {
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
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
      ...args,
    ],
    { cwd: root },
  );
  return countVitest(readReport(reportFile), code);
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

async function runCargo(full: boolean): Promise<Counts> {
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
  return countCargo(output, code);
}
