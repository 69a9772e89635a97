/** What the optimizers of a client take. */

import type { GradientOptions } from '../optimizer/gradient-optimizer.ts';
import type { AdamOptions, RmsPropOptions, SgdOptions } from '../optimizer/optimizers.ts';
import type { TrustRegionOptions } from '../optimizer/trust-region.ts';
import { callback, flag, isObject, object, oneOf, optional, type Rule, type Rules, rule } from './rule.ts';

const above0 = rule((value) => Number.isFinite(value) && (value as number) > 0, 'a number above 0');
const share = rule(
  (value) => Number.isFinite(value) && (value as number) >= 0 && (value as number) < 1,
  'a number from 0 to below 1',
);
const rate: Rule = (value, field, violations) =>
  (typeof value === 'function' ? callback : above0)(value, field, violations);

const gradient: Rules<GradientOptions> = {
  rate,
  clipValue: optional(above0),
  clipNorm: optional(above0),
  hypergradient: optional(oneOf(['proposed', 'glocal', 'local', 'mean', 'median'])),
};

export const adamOptions = object<AdamOptions>({
  ...gradient,
  beta1: optional(share),
  beta2: optional(share),
  epsilon: optional(above0),
});
export const sgdOptions = object<SgdOptions>({
  ...gradient,
  momentum: optional(share),
  nesterov: optional(flag),
});
export const rmsPropOptions = object<RmsPropOptions>({
  ...gradient,
  decay: optional(share),
  momentum: optional(share),
  epsilon: optional(above0),
});
const trustRegionKeys = object<TrustRegionOptions>({
  radius: optional(above0),
  maxRadius: optional(above0),
  loss: optional(callback),
});
export const trustRegionOptions: Rule = (value, field, violations) => {
  trustRegionKeys(value, field, violations);
  const { radius, maxRadius = MAX_RADIUS } = isObject(value) ? value : {};
  if (typeof radius === 'number' && typeof maxRadius === 'number' && radius > maxRadius) {
    violations.push({ field: 'radius', description: `${radius} is above maxRadius (${maxRadius})` });
  }
};
/** Of a trust region, unless it says otherwise. */
export const MAX_RADIUS = 2;

/** One of the SDK's, or of a program's own. */
export const windowOptimizer = rule(
  (value) =>
    typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function',
  'an optimizer, with a function next',
);
