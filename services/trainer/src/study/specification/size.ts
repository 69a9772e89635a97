/** What a study would hold in memory: components, the window that is kept with each outer step, and sensitivities. */

import { Estimator, Grouping, type Method, type SearchSpace } from '@glocal/proto/glocal/v1/study';
import type { Limits } from '@glocal/proto/glocal/v1/study_service';
import { networkSize } from '../../inner/reweighting.ts';
import type { Checker } from './checker.ts';
import type { ResolvedProblem } from './problem.ts';

/** Bytes of a window's rows: it is stored with its outer step as one record. */
const MAX_WINDOW_BYTES = 256 * 2 ** 20;

/** Checks a complete space and method for a problem that is known. */
export function checkSize(
  space: SearchSpace,
  method: Pick<Method, 'estimator' | 'sigma'>,
  { dataset, model }: ResolvedProblem,
  { maxComponents }: Pick<Limits, 'maxComponents'>,
  check: Checker,
): void {
  if (dataset === undefined || model === undefined) return;
  const { layers } = model.size(dataset);
  const components = countComponents(space, { layers, classes: dataset.classes });
  if (method.estimator === Estimator.GLOCAL && maxComponents > 0) {
    check.require(
      components <= maxComponents,
      'space',
      `has ${components} components; the DMD service takes at most ${maxComponents}`,
    );
  }
  const most = Math.floor(MAX_WINDOW_BYTES / (8 * Math.max(1, components)));
  check.require(
    rowsOf(method) <= most,
    'method.sigma',
    `${method.sigma} hypergradients of ${components} components are more than the ${MAX_WINDOW_BYTES} bytes that a window may have; at most ${most}`,
  );
}

/** q of a complete space. */
export function countComponents(
  { parameters }: SearchSpace,
  groups: { readonly layers: number; readonly classes: number },
): number {
  return parameters.reduce((sum, { kind }) => {
    if (kind?.$case === 'network') return sum + networkSize({ hidden: kind.value.hiddenUnits });
    if (kind?.$case !== 'float') return sum;
    const { grouping } = kind.value;
    return (
      sum + (grouping === Grouping.LAYER ? groups.layers : grouping === Grouping.CLASS ? groups.classes : 1)
    );
  }, 0);
}

/** Hypergradients of a window. */
function rowsOf({ estimator, sigma }: Pick<Method, 'estimator' | 'sigma'>): number {
  switch (estimator) {
    case Estimator.FIXED:
      return 0;
    case Estimator.LOCAL:
    case Estimator.GLOBAL:
      return 1;
    default:
      return sigma;
  }
}
