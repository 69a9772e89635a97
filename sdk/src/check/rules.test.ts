import { describe, expect, it } from 'vitest';
import { GlocalClient } from '../client.ts';
import { specFromJson } from '../json.ts';
import { categorical, float, space } from '../space.ts';

/** Nobody listens there: whatever is thrown was known without a call. */
const client = new GlocalClient({ address: 'localhost:1', retry: { maxAttempts: 1 } });
const rejection = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);

const spec = {
  space: space({ lr: float({ min: 1e-4, max: 1, init: 0.01, scale: 'log' }) }),
  problem: { dataset: 'images', model: 'mlp', optimizer: 'sgd' },
  training: { steps: 100 },
  method: { estimator: 'glocal' },
} as const;

describe('what no server would take', () => {
  it('is refused before a call, with the fields as they were written', async () => {
    const wrong = {
      ...spec,
      displayName: 'x'.repeat(201),
      space: space({
        lr: float({ min: 1e-4, max: 1, init: 2, scale: 'log' }),
        optimizer: categorical({ sgd: { momentum: float({ min: 1, max: 0, init: 0.5 }) } }),
      }),
      training: { steps: 0 },
      method: { estimator: 'glocal', sigma: 8, dmd: { delays: 10, svdRank: -2 } },
    } as const;
    for (const call of [client.studies.create(wrong), client.studies.validate(wrong)]) {
      expect(await rejection(call)).toMatchObject({
        code: 'INVALID_ARGUMENT',
        reason: 'STUDY',
        requestId: undefined,
        fieldViolations: expect.arrayContaining([
          { field: 'displayName', description: 'has 201 characters; at most 200' },
          { field: 'space.lr.init', description: '2 is above max (1)' },
          { field: 'space.optimizer.sgd.momentum.min', description: '1 is not below max (0)' },
          { field: 'training.steps', description: '0 is not a positive number of steps' },
          {
            field: 'method.sigma',
            description: '8 is too short for delays = 10; at least 11, 20 is a good start',
          },
          { field: 'method.dmd.svdRank', description: expect.stringMatching(/^-2 is neither/) },
        ]),
      });
    }
  });

  it('is a fault of the space alone where it is', async () => {
    const wrong = specFromJson({ ...spec, space: { lr: { min: 0, max: 1, init: 1 } } });
    expect(await rejection(client.studies.create(wrong))).toMatchObject({ reason: 'SEARCH_SPACE' });
  });

  it('leaves to the server what only that knows', async () => {
    for (const right of [
      spec,
      { ...spec, problem: { ...spec.problem, dataset: 'unknown' } },
      { ...spec, mode: 'external', problem: undefined } as never,
    ]) {
      expect(await rejection(client.studies.validate(right, { timeout: 5_000 }))).toMatchObject({
        code: 'UNAVAILABLE',
      });
    }
  });
});
