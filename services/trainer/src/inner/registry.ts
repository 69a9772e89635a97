/** The inner optimizers that a study may name. */

import { adam, adamw } from './adam.ts';
import type { InnerOptimizer } from './optimizer.ts';
import { prodigy } from './prodigy.ts';
import { rmsprop } from './rms-prop.ts';
import { scheduleFree, scheduleFreeAdamw } from './schedule-free.ts';
import { sgd, sgdNesterov, sgdw, sgdwNesterov } from './sgd.ts';

const OPTIMIZERS: readonly InnerOptimizer[] = [
  ...[sgd, sgdNesterov, sgdw, sgdwNesterov, rmsprop, adam, adamw],
  ...[scheduleFree, scheduleFreeAdamw, prodigy],
];

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
