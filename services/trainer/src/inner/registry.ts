/** The inner optimizers that a study may name. */

import type { InnerOptimizer } from './optimizer.ts';
import { sgd } from './sgd.ts';

const OPTIMIZERS: readonly InnerOptimizer[] = [sgd];

export const listOptimizers = (): readonly InnerOptimizer[] => OPTIMIZERS;

/** @throws RangeError naming the optimizers that exist, when there is none with this id. */
export function getOptimizer(id: string): InnerOptimizer {
  const optimizer = OPTIMIZERS.find((candidate) => candidate.id === id);
  if (optimizer === undefined) {
    const known = OPTIMIZERS.map((candidate) => candidate.id).join(', ');
    throw new RangeError(`there is no inner optimizer "${id}"; one of ${known}`);
  }
  return optimizer;
}
