/**
 * Has every property test draw the same cases each time, so that a failure of `npm test` is one of the change at hand and comes
 * again. `npm run test:full` does without, and looks at new cases.
 */

import fc from 'fast-check';

fc.configureGlobal({ seed: 20_261_130 });
