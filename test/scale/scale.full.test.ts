/** A fleet all of whose processes are killed once, at seeded moments. `npm run scale` has larger ones. */

import { expect, it } from 'vitest';
import { verdictOf } from './account.ts';
import { measureRecoveries } from './recover.ts';
import { runScale } from './run.ts';

it('a fleet all of whose processes are killed loses nothing, doubles nothing and takes the undisturbed path', async () => {
  const result = await runScale({
    ...{ trials: 16, servers: 2, workers: 2, killRate: 1, seed: 5, leaseMs: 3_000 },
    signal: AbortSignal.timeout(900_000),
  });
  expect(result.findings).toEqual([]);
  expect(verdictOf(result.findings)).toBe('lost 0, doubled 0, diverged 0');
  expect(result.kills).toBe(4);
  expect(result.asked.statements).toBeGreaterThan(result.windows);
}, 1_000_000);

it('a trial whose worker is killed trains elsewhere', async () => {
  expect(await measureRecoveries(1, 2_000)).toEqual([expect.any(Number)]);
}, 300_000);
