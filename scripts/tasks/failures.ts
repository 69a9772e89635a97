/** Which tests failed and why, told once more at the end of the output: whoever keeps only its last lines has them. */
import { stripVTControlCharacters } from 'node:util';

export interface Failure {
  /** The test, with its file or module. */
  readonly name: string;
  readonly message: string;
}

/** Longer lines are cut. */
const WIDTH = 200;

/**
 * The failures as text: each with the beginning of its message, and so much of that as there is room for.
 *
 * @param lines how many lines it may take
 */
export function tell(failures: readonly Failure[], lines = 40): string {
  const told = failures.slice(0, failures.length <= lines - 1 ? failures.length : lines - 2);
  const share = Math.floor((lines - 2) / told.length);
  const text = told.flatMap(({ name, message }) =>
    [`  ${name}`, ...meaningful(message).map((line) => `      ${line}`)].slice(0, Math.max(1, share)),
  );
  if (told.length < failures.length) text.push(`  … and ${failures.length - told.length} more`);
  return ['Failed:', ...text].map((line) => line.slice(0, WIDTH)).join('\n');
}

const meaningful = (message: string): string[] =>
  stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => line.trim() !== '');

/**
 * The failed tests of a `cargo test` run, from its standard output.
 *
 * @returns each test with what it printed, its panic
 */
export function failuresOfCargo(output: string): Failure[] {
  const text = stripVTControlCharacters(output);
  return Array.from(
    text.matchAll(/^---- (.+) stdout ----\n([\s\S]*?)(?=^---- .+ stdout ----$|^failures:$)/gm),
    ([, name = '', message = '']) => ({ name, message: message.trim() }),
  );
}
