/** Ten kills at seeded moments. `npm run faults` makes more of them. */

import { expect, it } from 'vitest';
import { runCampaign, verdictOf } from './campaign.ts';
import { workloads } from './workloads.ts';

it('loses nothing, doubles nothing and takes the undisturbed path when its parts are killed', async () => {
  const tally = await runCampaign({
    kills: 10,
    seed: 1,
    workloads: workloads(),
    signal: AbortSignal.timeout(280_000),
    onFault() {},
  });
  expect(tally.findings).toEqual([]);
  expect(verdictOf(tally)).toBe('lost 0, doubled 0, diverged trajectories 0');
  expect(tally.kills).toBe(10);
}, 300_000);
