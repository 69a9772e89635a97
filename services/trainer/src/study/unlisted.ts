/** Hyperparameters that a space does not list. */

import { FixedParameter, Grouping, type Parameter } from '@glocal/proto/glocal/v1/study';

/** One value, which stays. */
export const fixedAt = (value: number): Parameter['kind'] => ({
  $case: 'fixed',
  value: FixedParameter.create({ value, grouping: Grouping.NONE }),
});

/** An optimizer's hyperparameters that a space does not list, at their defaults. Those without one must be listed. */
export const unlisted = (
  hyperparameters: readonly { readonly name: string; readonly defaultValue?: number | undefined }[],
  listed: readonly Parameter[],
): Parameter[] =>
  hyperparameters
    .filter(({ name }) => listed.every((parameter) => parameter.name !== name))
    .flatMap(({ name, defaultValue: value }) =>
      value === undefined ? [] : [{ name, kind: fixedAt(value) }],
    );
