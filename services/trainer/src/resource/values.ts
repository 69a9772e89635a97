/** Hyperparameters of a search space as lists of named values. */

import type { ParameterValue, SearchSpace } from '@glocal/proto/glocal/v1/study';
import { hasValues, scheduledValues } from './scheduled-value.ts';

/**
 * The value that `values` of a vector are summed up by: their mean, taken from the first of them, so that it is exact where
 * all are the same. NaN without values.
 */
export function meanOf(values: readonly number[]): number {
  const [first = Number.NaN] = values;
  let mean = 0;
  for (const value of values) mean += (value - first) / values.length;
  return first + mean;
}

/**
 * Where each hyperparameter of a trial's space starts, in the order of the space. Vectors come without their entries where
 * the model and the data decide how many there are.
 */
export function initialValues(space: SearchSpace): ParameterValue[] {
  return space.parameters.map(({ name, kind }) => {
    switch (kind?.$case) {
      case 'float':
        return { name, value: kind.value.initial, values: Array(kind.value.size).fill(kind.value.initial) };
      case 'fixed': {
        const { value, values } = kind.value;
        return { name, value: values.length > 0 ? meanOf(values) : value, values };
      }
      case 'scheduled': {
        // No schedule depends at its start on how long the training is.
        const values = scheduledValues(kind.value, 0, Number.POSITIVE_INFINITY);
        return { name, value: meanOf(values), values: hasValues(kind.value) ? values : [] };
      }
      case 'network':
        return { name, value: Number.NaN, values: [] };
      default:
        throw new TypeError(`parameter ${name} has no value; it is not a trial's space`);
    }
  });
}
