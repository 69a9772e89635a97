import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readOptions, UsageError } from './options.ts';

let printed: string;
beforeEach(() => {
  printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      printed += text;
      return true;
    });
  }
});
afterEach(() => vi.restoreAllMocks());

function refusal(...args: string[]): UsageError {
  try {
    readOptions(args);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  return expect.unreachable('it was accepted');
}

const ids = (...args: string[]) => readOptions(args).runs.map(({ id }) => id);

describe('the options of the demo', () => {
  it('have defaults that show what there is to see', () => {
    const { steps, seed, out } = readOptions([]);
    expect({ steps, seed }).toEqual({ steps: 1_000, seed: 0 });
    expect(steps).toBeGreaterThanOrEqual(600);
    expect(out).toMatch(/runs.demo$/);
    expect(ids()).toEqual(['fixed', 'glocal', 'cosine', 'default']);
  });

  it('are taken from the command line', () => {
    expect(readOptions(['--steps', '150', '--seed', '4294967295', '--out', 'there'])).toMatchObject({
      steps: 150,
      seed: 4_294_967_295,
      out: 'there',
    });
    expect(ids('--runs', 'glocal, LOCAL')).toEqual(['glocal', 'local']);
  });

  it.each([
    ['--steps', '0'],
    ['--steps', '75'],
    ['--steps', '-50'],
    ['--steps', 'many'],
    ['--seed', '-1'],
    ['--seed', '1.5'],
    ['--seed', '4294967296'],
    ['--seed', ' '],
    ['--runs', 'best'],
    ['--runs', 'fixed,fixed'],
    ['--runs', ''],
  ])('are refused in one line: %s %s', (flag, value) => {
    expect(refusal(flag, value).exitCode).toBe(64);
    expect(printed.trimEnd()).toMatch(new RegExp(`^error: .*${flag}.*$`));
  });

  it('are explained, with every kind of run', () => {
    expect(refusal('--help').exitCode).toBe(0);
    for (const run of ['fixed', 'local', 'mean', 'median', 'glocal', 'cosine', 'default']) {
      expect(printed).toMatch(new RegExp(`^ {2}${run} +\\w`, 'm'));
    }
  });
});
