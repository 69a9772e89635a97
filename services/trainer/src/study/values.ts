/** Hyperparameters of a search space as lists of named values. */

import type { ParameterValue, SearchSpace } from '@glocal/proto/glocal/v1/study';

/** Where each hyperparameter of a complete space starts, in the order of the space. */
export function initialValues(space: SearchSpace | undefined): ParameterValue[] {
  return (space?.parameters ?? []).map(({ name, kind }) => {
    switch (kind?.$case) {
      case 'float':
        return { name, value: kind.value.initial };
      case 'fixed':
        return { name, value: kind.value.value };
      default:
        throw new TypeError(`parameter ${name} has no kind; the space was not checked`);
    }
  });
}
