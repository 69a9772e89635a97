import type { GlocalClient } from '@glocal/sdk';
import { expect, it } from 'vitest';
import type { Finished } from '../outcome.ts';
import { RECORDED, windowsOf } from './windows.ts';

const hypergradients = Array.from({ length: RECORDED }, () => Float64Array.of(1, -1));

it('have as inputs the values that hypergradients are of, in their order, and no value that is fixed', async () => {
  const values = { weightDecay: 0.2, power: 2, lr: 0.1 };
  const steps = [{ values, window: { components: ['lr', 'weightDecay'], hypergradients } }];
  const study = { outerSteps: () => steps };
  const client = { studies: { get: async () => study } } as unknown as GlocalClient;
  const trials = [{ trial: 'studies/a/trials/0' }];
  const finished = { arm: { table: 'a' }, study: 'studies/a', trials } as unknown as Finished;
  const { windows, unusable } = await windowsOf(client, finished, undefined, new AbortController().signal);
  expect(unusable).toBe(0);
  expect(windows.map(({ input }) => input)).toEqual([[Math.log(0.1), Math.log(0.2 / 0.8)]]);
});
