/** The models that a study may name. */

import { ModelError } from './errors.ts';
import type { ModelFamily } from './family.ts';
import { lenet } from './lenet.ts';
import { logistic } from './logistic.ts';
import { mlp } from './mlp.ts';
import type { Model, Task } from './model.ts';
import { wideResnet16x2, wideResnet28x2 } from './wide-resnet.ts';

const FAMILIES: readonly ModelFamily[] = [logistic, mlp, lenet, wideResnet16x2, wideResnet28x2];

export const listModels = (): readonly ModelFamily[] => FAMILIES;

/**
 * The model with this id, for a data set.
 * @throws ModelError UNKNOWN_MODEL naming the models that exist; UNSUITABLE.
 */
export function getModel(id: string, task: Task): Model {
  const family = FAMILIES.find((candidate) => candidate.id === id);
  if (family === undefined) {
    const known = FAMILIES.map((candidate) => candidate.id).join(', ');
    throw new ModelError('UNKNOWN_MODEL', `there is no model "${id}"; one of ${known}`);
  }
  return family.build(task);
}
