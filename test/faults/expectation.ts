/** What every campaign must end with. */

import { expect } from 'vitest';
import { runCampaign, type Tally, verdictOf } from './campaign.ts';
import { workloads } from './workloads.ts';

/** @param withinMs after which it is given up. */
export async function expectNothingLost(kills: number, seed: number, withinMs: number): Promise<Tally> {
  const tally = await runCampaign({
    kills,
    seed,
    workloads: workloads(),
    signal: AbortSignal.timeout(withinMs),
    onFault() {},
  });
  expect(tally.findings).toEqual([]);
  expect(verdictOf(tally)).toBe('lost 0, doubled 0, diverged trajectories 0');
  expect(tally.kills).toBe(kills);
  return tally;
}
