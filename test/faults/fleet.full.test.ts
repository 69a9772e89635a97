/** A hundred kills of a fleet's processes at seeded moments, and half as many other faults, its database's among them. */

import { expect, it } from 'vitest';
import { fleet } from './campaigns.ts';
import { expectNothingLost } from './expectation.ts';
import { FLEET_FAULTS } from './fleet.ts';

const KILLS = 100;

it('a fleet loses nothing, doubles nothing and diverges nowhere over a hundred kills', async () => {
  const { faults } = await expectNothingLost({ kills: KILLS, others: KILLS / 2 }, 3, 3_500_000, fleet);
  expect([...faults.keys()].sort()).toEqual(FLEET_FAULTS.map(({ name }) => name).sort());
}, 3_600_000);
