import { commandLine } from '@glocal/cli/testing';
import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

const line = commandLine(readOptions);

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
    expect(line.refusal(flag, value).exitCode).toBe(64);
    expect(line.printed.trimEnd()).toMatch(new RegExp(`^error: .*${flag}.*$`));
  });

  it('are explained, with every kind of run', () => {
    expect(line.refusal('--help').exitCode).toBe(0);
    for (const run of ['fixed', 'local', 'mean', 'median', 'glocal', 'cosine', 'default']) {
      expect(line.printed).toMatch(new RegExp(`^ {2}${run} +\\w`, 'm'));
    }
  });
});
