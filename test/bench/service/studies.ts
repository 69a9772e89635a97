/** Studies that cost the server what is measured, and no training. */

import { Estimator, RunMode, Scale, Study } from '@glocal/proto/glocal/v1/study';

/** Of an outside client that reports windows of 20 rows with 3 components. @param seeds one trial each. */
export const externalStudy = (seeds: number): Study =>
  Study.fromPartial({
    displayName: 'benchmark',
    mode: RunMode.EXTERNAL,
    space: {
      parameters: ['lr', 'momentum', 'weightDecay'].map((name) => ({
        name,
        kind: {
          $case: 'float' as const,
          value: { min: 1e-4, max: 1, initial: 0.01, scale: Scale.LOG },
        },
      })),
    },
    training: { steps: 1_000_000, seeds: Array.from({ length: seeds }, (_, seed) => seed) },
    method: { estimator: Estimator.GLOCAL, window: 20, sigma: 20 },
  });
