/** Ten kills at seeded moments. `npm run faults` makes more of them. */

import { it } from 'vitest';
import { expectNothingLost } from './expectation.ts';

it('loses nothing, doubles nothing and takes the undisturbed path when its parts are killed', async () => {
  await expectNothingLost({ kills: 10, others: 4 }, 1, 580_000);
}, 600_000);
