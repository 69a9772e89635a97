import { commandLine } from '@glocal/cli/testing';
import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

const line = commandLine(readOptions);

describe('the options of an experiment', () => {
  it('are those that its claims ask for, unless they are given', () => {
    const { seeds, only, parallel, out } = readOptions(['defaults']);
    expect({ seeds, only, parallel }).toEqual({ seeds: 3, only: '', parallel: 1 });
    expect(out).toMatch(/runs.defaults$/);
    expect(readOptions(['defaults', '--seeds', '1', '--parallel', '2', '--out', 'there'])).toMatchObject({
      ...{ seeds: 1, parallel: 2, out: 'there' },
    });
  });

  it('have arms that one seed is enough for', () => {
    const { arms } = readOptions(['defaults']).experiment;
    const few = arms.filter(({ seeds }) => seeds === 1).map(({ title }) => title);
    expect(new Set(few)).toEqual(
      new Set(['Schedule-Free, constant at bad starts', 'Schedule-Free, tuned: the default, from too high']),
    );
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
      expect(line.refusal(...args).exitCode).toBe(64);
      expect(line.printed.trimEnd()).toMatch(/^error: .*$/);
    },
  );

  it('are explained, with every experiment', () => {
    expect(line.refusal('--help').exitCode).toBe(0);
    expect(line.printed).toMatch(/^ {2}defaults-choice +\w/m);
  });
});
