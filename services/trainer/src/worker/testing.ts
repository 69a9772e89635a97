/** A small study for tests of what trains it. */

import { type Method, type Problem, Scale, Study } from '@glocal/proto/glocal/v1/study';
import { asComplete, type CompleteStudy } from '../resource/complete-study.ts';
import { loadCatalogue } from '../study/catalogue.ts';
import { completeStudy } from '../study/specification.ts';

const LIMITS = { maxSteps: 1_000, maxTrials: 1, maxWindowRows: 512, maxComponents: 1_000_000 };

/** As the server completes it: six steps of an MLP on Fashion-MNIST, whose learning rate may move. */
export async function smallStudy(
  method: Partial<Method>,
  problem: Partial<Problem> = {},
): Promise<CompleteStudy> {
  const { study, violations } = completeStudy(
    Study.fromPartial({
      space: {
        parameters: [
          {
            name: 'lr',
            kind: { $case: 'float', value: { min: 0.001, max: 1, initial: 0.1, scale: Scale.LOG } },
          },
        ],
      },
      problem: { dataset: 'fashion-mnist-10k', model: 'mlp', optimizer: 'sgd', batchSize: 4, ...problem },
      training: { steps: 6 },
      method,
    }),
    await loadCatalogue({ modelDir: undefined, log: () => {} }),
    LIMITS,
  );
  if (study === undefined) throw new Error(violations.map(({ field }) => field).join(', '));
  return asComplete(study);
}
