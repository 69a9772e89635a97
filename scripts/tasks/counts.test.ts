import { expect, test } from 'vitest';
import { add, countCargo, countVitest, nothingRan, summary } from './counts.ts';
import type { VitestReport } from './vitest-report.ts';

const green: VitestReport = { passed: 5, skipped: 3, failures: [] };

test('vitest: tests are counted', () => {
  const failures = [{ name: 'a', message: '' }];
  expect(countVitest({ ...green, failures }, 1)).toEqual({ passed: 5, failed: 1, skipped: 3 });
});

test('vitest: an exit code without a failure is one failure (it found no tests)', () => {
  expect(countVitest(green, 1).failed).toBe(1);
  expect(countVitest(green, 0).failed).toBe(0);
});

test('vitest: no report is a failure, whatever the exit code', () => {
  expect(countVitest(undefined, 0)).toEqual(nothingRan);
});

const cargo = `
running 2 tests
test a ... ok
test b ... \u001b[32mok\u001b[0m

test result: \u001b[32mok\u001b[0m. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s


running 3 tests
test c ... FAILED
test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
`;

test('cargo: the suites are added up, coloured or not', () => {
  expect(countCargo(cargo, 101)).toEqual({ passed: 3, failed: 1, skipped: 1 });
});

test('cargo: a suite that ended without a result is one failure', () => {
  expect(countCargo(`${cargo}\nrunning 1 test\n`, 101).failed).toBe(2);
});

test('cargo: a build that failed is one failure', () => {
  expect(countCargo('', 101)).toEqual(nothingRan);
});

test('the summary names the skipped ones only where there are some', () => {
  const passed = { passed: 3, failed: 0, skipped: 0 };
  expect(summary(passed)).toBe('3 passed, 0 failed');
  expect(summary(add(passed, { passed: 1, failed: 2, skipped: 4 }))).toBe('4 passed, 2 failed, 4 skipped');
});
