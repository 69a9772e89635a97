/** Optuna's TPE, asked and told by the experiment that compares with it. */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PYTHON_VARIABLE, Tpe, tpeMissing } from '../../experiments/src/time-to-accuracy/tpe.ts';
import { pythonWith } from '../support/python.ts';

const python = await pythonWith(join(import.meta.dirname, 'optuna/requirements.txt'));
const before = process.env[PYTHON_VARIABLE];
afterAll(() => {
  if (before === undefined) delete process.env[PYTHON_VARIABLE];
  else process.env[PYTHON_VARIABLE] = before;
});

it('is left out with a line that says what to do where there is no Python', async () => {
  process.env[PYTHON_VARIABLE] = 'no-such-python';
  expect(await tpeMissing()).toMatch(/TPE is left out: no-such-python .*pip install optuna/);
});

describe.skipIf('missing' in python)('with Optuna', () => {
  beforeAll(() => {
    process.env[PYTHON_VARIABLE] = join('bin' in python ? python.bin : '', 'python');
  });

  it('comes nearer to the best point of a bowl than it began, the same way each time, and takes failures', async () => {
    expect(await tpeMissing()).toBeUndefined();
    const search = async (): Promise<number[]> => {
      await using tpe = new Tpe(1, { lr: [1e-4, 10] });
      const losses: number[] = [];
      for (let i = 0; i < 40; i++) {
        const { lr = 0 } = await tpe.ask();
        expect(lr).toBeGreaterThanOrEqual(1e-4);
        expect(lr).toBeLessThanOrEqual(10);
        losses.push(Math.log10(lr / 0.03) ** 2);
        tpe.tell(i === 3 ? undefined : losses.at(-1));
      }
      return losses;
    };
    const losses = await search();
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(losses.slice(-15))).toBeLessThan(mean(losses.slice(0, 10)));
    expect(await search()).toEqual(losses);
  });
});
