import { commandLine } from '@glocal/cli/testing';
import { describe, expect, it } from 'vitest';
import { type Arm, isArm, type Lab } from './experiment.ts';
import { readOptions } from './options.ts';

const line = commandLine(readOptions);

async function arms(name: string): Promise<readonly Arm[]> {
  const { experiment, size } = readOptions([name, '--full']);
  return (await experiment.arms({ size } as Lab)).filter(isArm);
}

describe('the options of an experiment', () => {
  it('are those of its quick form where it has one, unless they are given', () => {
    const { seeds, size, only, parallel, out } = readOptions(['defaults']);
    expect({ seeds, size, only, parallel }).toEqual({ seeds: 1, size: 'quick', only: '', parallel: 2 });
    expect(out).toMatch(/runs.defaults$/);
    expect(readOptions(['defaults', '--seeds', '5', '--parallel', '1', '--out', 'there'])).toMatchObject({
      ...{ seeds: 5, parallel: 1, out: 'there' },
    });
  });

  it('are those that its claims ask for with --full, and without a quick form', () => {
    expect(readOptions(['defaults', '--full'])).toMatchObject({ seeds: 3, size: 'full' });
    expect(readOptions(['defaults-wide'])).toMatchObject({ seeds: 3, size: 'full' });
  });

  it('have arms that one seed is enough for', async () => {
    const few = (await arms('defaults')).filter(({ seeds }) => seeds === 1).map(({ title }) => title);
    expect(new Set(few)).toEqual(new Set(['Schedule-Free SGD, constant at bad starts']));
  });

  it.each([
    [['nothing']],
    [[]],
    [['defaults', '--seeds', '0']],
    [['defaults', '--parallel', 'x']],
    [['defaults', '--quick', '--full']],
    [['defaults-wide', '--quick']],
  ])('are refused in one line: %j', (args) => {
    expect(line.refusal(...args).exitCode).toBe(64);
    expect(line.printed.trimEnd()).toMatch(/^error: .*$/);
  });

  it.each(['--help', '--list'])('are explained, with every experiment: %s', (flag) => {
    expect(line.refusal(flag).exitCode).toBe(0);
    expect(line.printed).toMatch(/^ {2}defaults-choice +\w/m);
  });
});
