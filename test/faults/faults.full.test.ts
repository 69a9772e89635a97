/** A hundred kills at seeded moments. */

import { expect, it } from 'vitest';
import { runCampaign, verdictOf } from './campaign.ts';
import { workloads } from './workloads.ts';

it('loses nothing, doubles nothing and diverges nowhere over a hundred kills', async () => {
  const tally = await runCampaign({
    kills: 100,
    seed: 2,
    workloads: workloads(),
    signal: AbortSignal.timeout(1_750_000),
    onFault() {},
  });
  expect(tally.findings).toEqual([]);
  expect(verdictOf(tally)).toBe('lost 0, doubled 0, diverged trajectories 0');
}, 1_800_000);
