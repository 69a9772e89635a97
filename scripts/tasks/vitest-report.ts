/** A reporter for vitest: writes what `npm test` needs to know of the run when it has ended. */
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node';
import type { Failure } from './failures.ts';

export interface VitestReport {
  readonly passed: number;
  readonly skipped: number;
  /**
   * Failed tests; files that failed without one, because they did not load, a hook threw or their process died; and
   * errors that no test caught.
   */
  readonly failures: readonly Failure[];
}

/** The report goes to the file of `--outputFile`, as JSON. */
export default class implements Reporter {
  #file = '';

  onInit({ config }: Vitest): void {
    if (typeof config.outputFile === 'string') this.#file = config.outputFile;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    writeFileSync(this.#file, JSON.stringify(reportOf(modules, unhandled)));
  }
}

function reportOf(modules: readonly TestModule[], unhandled: readonly SerializedError[]): VitestReport {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const withState = (state: string) => tests.filter((test) => test.result().state === state);
  return {
    passed: withState('passed').length,
    skipped: withState('skipped').length,
    failures: [
      ...withState('failed').map(failureOfTest),
      ...modules.filter(isBroken).map(failureOfModule),
      ...unhandled.map((error) => ({ name: 'an error outside of all tests', message: messageOf([error]) })),
    ],
  };
}

const failureOfTest = (test: TestCase): Failure => ({
  name: `${test.module.relativeModuleId} > ${test.fullName}`,
  message: messageOf(test.result().errors ?? []),
});

function isBroken(module: TestModule): boolean {
  if (module.state() === 'passed' || module.state() === 'skipped') return false;
  return !module.children.allTests('failed').next().value;
}

function failureOfModule(module: TestModule): Failure {
  const errors = [module, ...module.children.allSuites()].flatMap((suite) => suite.errors());
  return {
    name: module.relativeModuleId,
    message: errors.length > 0 ? messageOf(errors) : 'did not come to its end',
  };
}

/** What was expected, then where in our own files. */
const messageOf = (errors: readonly SerializedError[]): string =>
  errors
    .flatMap(({ name, message, diff, stack }) => [`${name}: ${message}`, diff ?? '', ownFrames(stack)])
    .join('\n');

const ownFrames = (stack = ''): string =>
  stack
    .split('\n')
    .filter((line) => /^\s+at .*\//.test(line) && !/node_modules|node:/.test(line))
    .join('\n');
