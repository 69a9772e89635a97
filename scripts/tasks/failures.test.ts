import { expect, test } from 'vitest';
import { failuresOfCargo, tell } from './failures.ts';

const failure = (n: number, message = 'first\n\nsecond\nthird') => ({ name: `test ${n}`, message });
const numbered = (count: number) => Array.from({ length: count }, (_, n) => failure(n));

test('a failure is told with its message', () => {
  expect(tell([failure(1)])).toBe('Failed:\n  test 1\n      first\n      second\n      third');
});

test.each([1, 2, 5, 13, 38, 39, 40, 500])(
  '%i failures take no more lines than there is room for',
  (count) => {
    expect(tell(numbered(count)).split('\n').length).toBeLessThanOrEqual(40);
  },
);

test('failures that there is no room for are counted', () => {
  const lines = tell(numbered(500)).split('\n');
  expect(lines.at(1)).toBe('  test 0');
  expect(lines.at(-1)).toBe('  … and 462 more');
});

test('each of 39 failures has its line', () => {
  expect(tell(numbered(39)).split('\n').at(-1)).toBe('  test 38');
});

test('long lines are cut, and colours left out', () => {
  const [, , line] = tell([failure(1, `\u001b[31m${'x'.repeat(1000)}`)]).split('\n');
  expect(line).toMatch(/^ {6}x{194}$/);
});

const output = `
running 3 tests
test kept ... ok
test rank::lost ... FAILED
test broken ... \u001b[31mFAILED\u001b[0m

failures:

---- rank::lost stdout ----

thread 'rank::lost' (7) panicked at services/dmd/src/rank.rs:9:5:
assertion failed

---- broken stdout ----
Error: "no"


failures:
    broken
    rank::lost

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
`;

test("cargo's failed tests have what they printed", () => {
  const panic = "thread 'rank::lost' (7) panicked at services/dmd/src/rank.rs:9:5:\nassertion failed";
  expect(failuresOfCargo(output)).toEqual([
    { name: 'rank::lost', message: panic },
    { name: 'broken', message: 'Error: "no"' },
  ]);
});

test('a suite of cargo without failures has none', () => {
  expect(failuresOfCargo('running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed;')).toEqual(
    [],
  );
});
