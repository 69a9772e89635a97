/** Hyperparameters that several optimizers have. Each may differ by layer. */

import type { Grouping, HyperparameterInfo } from './hyperparameter.ts';

const groupings: readonly Grouping[] = ['none', 'layer'];

export const LEARNING_RATE: HyperparameterInfo = {
  name: 'lr',
  description: 'Learning rate',
  min: 0,
  max: 100,
  groupings,
};

export const WEIGHT_DECAY: HyperparameterInfo = {
  name: 'weightDecay',
  description: 'Weight decay',
  min: 0,
  max: 10,
  defaultValue: 0,
  groupings,
};

export const EPSILON: HyperparameterInfo = {
  name: 'epsilon',
  description: 'Added to the root of the mean square',
  min: 0,
  max: 1,
  defaultValue: 1e-8,
  groupings,
};

/** A share that is kept from step to step. */
export const share = (name: string, description: string, defaultValue: number): HyperparameterInfo => ({
  name,
  description,
  min: 0,
  max: 1,
  defaultValue,
  groupings,
});

/** Of Adam's second moment. */
export const SQUARE_SHARE = share('beta2', 'Share of the mean square that is kept', 0.999);

export const MOMENTUM = share('momentum', 'Share of the last update that is kept', 0);
