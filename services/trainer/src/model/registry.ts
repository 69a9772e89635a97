/** The models that a study may name. */

import { lenet } from './lenet.ts';
import { mlp } from './mlp.ts';
import type { Model } from './model.ts';

const MODELS: readonly Model[] = [lenet, mlp];

export const listModels = (): readonly Model[] => MODELS;

/** @throws RangeError naming the models that exist, when there is none with this id. */
export function getModel(id: string): Model {
  const model = MODELS.find((candidate) => candidate.id === id);
  if (model === undefined) {
    throw new RangeError(`there is no model "${id}"; one of ${MODELS.map((known) => known.id).join(', ')}`);
  }
  return model;
}
