/** A hundred kills and a hundred other faults at seeded moments; what came of them is a part of the benchmark table. */

import { expect, it } from 'vitest';
import { formatTable } from '../bench/table.ts';
import { expectNothingLost } from './expectation.ts';
import { faultRows } from './rows.ts';

const KILLS = 100;

it('loses nothing, doubles nothing and diverges nowhere over a hundred kills', async () => {
  const rows = faultRows(await expectNothingLost({ kills: KILLS, others: KILLS }, 2, 3_500_000));
  console.log(formatTable(rows, false));
  expect(rows.map(({ value }) => value)).toEqual([2 * KILLS, 1]);
}, 3_600_000);
