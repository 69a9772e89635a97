/** Optimizers for clients that drive a trial, by name. */

import { adamOptions, rmsPropOptions, sgdOptions } from '../check/optimizers.ts';
import { check } from '../check/rule.ts';
import { GradientOptimizer, type GradientOptions } from './gradient-optimizer.ts';
import type { SavableOptimizer } from './optimizer.ts';
import { type AdamDecays, adamRule, rmsPropRule, sgdRule } from './rules.ts';

/** Options of `adam()`. */
export interface AdamOptions extends GradientOptions, Partial<AdamDecays> {
  /** Decay of the first moment, 0 to 1. @default 0.9 */
  readonly beta1?: number;
  /** Decay of the second moment, 0 to 1. @default 0.999 */
  readonly beta2?: number;
  /** Added to the root of the second moment. @default 1e-8 */
  readonly epsilon?: number;
}

/** Options of `sgd()`. */
export interface SgdOptions extends GradientOptions {
  /** Share of the last step that goes on, 0 to 1. @default 0 */
  readonly momentum?: number | undefined;
  /** Whether it looks ahead, as Nesterov's does. @default false */
  readonly nesterov?: boolean | undefined;
}

/** Options of `rmsProp()`. */
export interface RmsPropOptions extends GradientOptions {
  /** Decay of the mean of squares, 0 to 1. @default 0.99 */
  readonly decay?: number | undefined;
  /** Share of the last step that goes on, 0 to 1. @default 0 */
  readonly momentum?: number | undefined;
  /** Added to the root of the mean of squares. @default 1e-8 */
  readonly epsilon?: number | undefined;
}

/** Adam as published (Kingma & Ba 2015), which is the service's own outer optimizer with `method.overhead: 'exact'`. */
export function adam(options: AdamOptions): SavableOptimizer {
  check([adamOptions, options, 'options']);
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  return new GradientOptimizer(adamRule({ beta1, beta2, epsilon }), options);
}

/** Gradient descent, with momentum where asked for. */
export function sgd(options: SgdOptions): SavableOptimizer {
  check([sgdOptions, options, 'options']);
  const { momentum = 0, nesterov = false } = options;
  return new GradientOptimizer(sgdRule(momentum, nesterov), options);
}

/** RMSProp: steps over the root of the mean of squares. */
export function rmsProp(options: RmsPropOptions): SavableOptimizer {
  check([rmsPropOptions, options, 'options']);
  const { decay = 0.99, momentum = 0, epsilon = 1e-8 } = options;
  return new GradientOptimizer(rmsPropRule(decay, momentum, epsilon), options);
}
