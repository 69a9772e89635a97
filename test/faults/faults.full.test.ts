/** A hundred kills at seeded moments. */

import { it } from 'vitest';
import { expectNothingLost } from './expectation.ts';

it(
  'loses nothing, doubles nothing and diverges nowhere over a hundred kills',
  () => expectNothingLost(100, 2, 1_750_000),
  1_800_000,
);
