/** Windows as a service would propose them, for tests of what decides about them. */

import { type DrivenWindow, drivenWindow } from '../driven-window.ts';
import type { ParameterMap, Space } from '../space.ts';
import type { SentOuterStep } from '../trial.ts';

/** What a test says of a window; the rest means nothing. */
export interface WindowFields<P extends ParameterMap> {
  readonly index?: number;
  readonly values: SentOuterStep<P>['values'];
  readonly nextValues?: SentOuterStep<P>['values'];
  readonly hypergradient?: readonly number[];
  readonly report?: Partial<SentOuterStep<P>['report']>;
  readonly loss?: number;
  readonly rolledBack?: boolean;
  readonly givesUp?: boolean;
}

export function windowOf<P extends ParameterMap>(
  space: Space<P>,
  {
    index = 1,
    values,
    nextValues = values,
    hypergradient = [],
    report,
    loss = 1,
    rolledBack = false,
    givesUp = false,
  }: WindowFields<P>,
): DrivenWindow<P> {
  const step = {
    index,
    step: 10 * index,
    values,
    nextValues,
    validation: { loss, accuracy: 0, examples: 1 },
    update: { hypergradient, rolledBack },
    report,
  };
  const decide = () => Promise.reject(new Error('nothing is decided here'));
  return drivenWindow(
    step as unknown as SentOuterStep<P>,
    { deadline: undefined, givesUp },
    { space, choices: {} },
    decide,
  );
}
