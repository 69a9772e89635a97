/** What every campaign must end with. */

import { expect } from 'vitest';
import { type CampaignOptions, type Tally, verdictOf } from './campaign.ts';
import { type Campaign, oneServer } from './campaigns.ts';
import { workloads } from './workloads.ts';

/**
 * @param faults how many kills and other faults to make.
 * @param withinMs after which it is given up.
 */
export async function expectNothingLost(
  faults: Pick<CampaignOptions, 'kills' | 'others'>,
  seed: number,
  withinMs: number,
  campaign: Campaign = oneServer,
): Promise<Tally> {
  const tally = await campaign({
    ...faults,
    seed,
    workloads: workloads(),
    signal: AbortSignal.timeout(withinMs),
    onFault() {},
  });
  expect(tally.findings).toEqual([]);
  expect(verdictOf(tally)).toBe('lost 0, doubled 0, diverged trajectories 0');
  expect(tally.kills).toBe(faults.kills);
  return tally;
}
