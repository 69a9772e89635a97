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

describe('the options of an experiment', () => {
  it('are those that its claims ask for, unless they are given', () => {
    const { seeds, only, parallel, out } = readOptions(['defaults']);
    expect({ seeds, only, parallel }).toEqual({ seeds: 3, only: '', parallel: 1 });
    expect(out).toMatch(/runs.defaults$/);
    expect(readOptions(['defaults', '--seeds', '1', '--parallel', '2', '--out', 'there'])).toMatchObject({
      ...{ seeds: 1, parallel: 2, out: 'there' },
    });
  });

  it('have arms of different names, so that none is taken for another', () => {
    for (const name of ['defaults', 'defaults-wide', 'defaults-length', 'defaults-choice']) {
      const { arms } = readOptions([name]).experiment;
      expect(new Set(arms.map(({ id }) => id)).size).toBe(arms.length);
    }
  });

  it.each([[['nothing']], [[]], [['defaults', '--seeds', '0']], [['defaults', '--parallel', 'x']]])(
    'are refused in one line: %j',
    (args) => {
      expect(refusal(...args).exitCode).toBe(64);
      expect(printed.trimEnd()).toMatch(/^error: .*$/);
    },
  );

  it('are explained, with every experiment', () => {
    expect(refusal('--help').exitCode).toBe(0);
    expect(printed).toMatch(/^ {2}defaults-choice +\w/m);
  });
});
