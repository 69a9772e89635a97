/** A window that waits for a decision. */

import { decisionOptions, newValues, stepOptions, stopReason } from './check/decisions.ts';
import { check, show } from './check/rule.ts';
import type { Decision } from './decision.ts';
import { GlocalError } from './error.ts';
import { SearchPoint } from './search-point.ts';
import type { ParameterMap } from './space.ts';
import type { MovingName, NewValues, SentValues } from './space-values.ts';
import type { SentOuterStep, TrialSpace } from './trial.ts';
import { kindsOf } from './trial-space.ts';

/** Options of a decision. */
export interface DecisionOptions {
  /** Outer learning rate from this update on, above 0; `accept` makes the update with it. @default as it was */
  readonly outerRate?: number | undefined;
}

/** Options of `window.step()`. */
export interface StepOptions {
  /** Outer learning rate of this update and of those after it, above 0. */
  readonly outerRate: number;
}

/**
 * What the service would do about a window: `nextValues` are the values that it would move to, `update` how they come about.
 * Its methods that return a promise decide; the promise resolves to the outer step when that is stored. A decision that was
 * refused can be followed by another.
 */
export interface DrivenWindow<P extends ParameterMap = ParameterMap> extends Omit<SentOuterStep<P>, 'step'> {
  /** Inner steps done at its end: what the outer step will have as `step`. */
  readonly stepsDone: number;
  /** Values during this outer step. */
  readonly values: SentValues<P>;
  /** When the trial is PAUSED unless a decision has come. */
  readonly deadline: Date | undefined;
  /** Whether accepting it ends the trial as INFEASIBLE. */
  readonly givesUp: boolean;
  /**
   * Whether the glocal estimate of a hyperparameter can be trusted; of a vector, that of all of its components.
   * @throws GlocalError INVALID_ARGUMENT for a name that is not in the space
   */
  trusted(name: MovingName<P>): boolean;
  /**
   * Values as the point that optimizers move, in unconstrained coordinates: a number for each component that moves, in the order
   * of a hypergradient.
   * @param values in place of those of this window; those that are left out stay. @default none
   * @throws GlocalError FAILED_PRECONDITION, reason VECTORS_LEFT_OUT, when the window came without its vectors;
   *   INVALID_ARGUMENT for values outside of their bounds, which {@link set} would be refused for, too
   */
  pointOf(values?: NewValues<P>): Float64Array;
  /** The values at a point, in natural units and within their bounds: what {@link set} takes. */
  valuesAt(point: ArrayLike<number>): NewValues<P>;
  /** Takes the proposed update. */
  accept(options?: DecisionOptions): Promise<SentOuterStep<P>>;
  /** Takes the proposed update with another outer rate, which stays. */
  step(options: StepOptions): Promise<SentOuterStep<P>>;
  /** Moves to other values, in natural units and within their bounds; those that are left out are held. */
  set(values: NewValues<P>, options?: DecisionOptions): Promise<SentOuterStep<P>>;
  /** Moves nothing. */
  hold(options?: DecisionOptions): Promise<SentOuterStep<P>>;
  /** Ends the trial: it has SUCCEEDED with the steps done so far. @param reason for people, at most 500 characters */
  stop(reason?: string): Promise<SentOuterStep<P>>;
}

/**
 * @param trial that it is of
 * @param decide passes a decision on
 */
export function drivenWindow<P extends ParameterMap>(
  { step: stepsDone, ...fields }: SentOuterStep<P>,
  proposal: Pick<DrivenWindow, 'deadline' | 'givesUp'>,
  trial: TrialSpace,
  decide: (decision: Decision) => Promise<SentOuterStep<P>>,
): DrivenWindow<P> {
  const search = new SearchPoint<P>(trial, fields);
  return {
    ...fields,
    ...proposal,
    stepsDone,
    trusted: (name) => isTrusted(fields, name, trial),
    pointOf: (values) => search.pointOf(values),
    valuesAt: (point) => search.valuesAt(point),
    accept: async (options = {}) => {
      check([decisionOptions, options, 'options']);
      return decide({ action: 'accept', outerRate: options.outerRate });
    },
    step: async (options) => {
      check([stepOptions, options, 'options']);
      return decide({ action: 'accept', outerRate: options.outerRate });
    },
    set: async (values, options = {}) => {
      check([newValues, values, 'values'], [decisionOptions, options, 'options']);
      return decide({ action: 'set', values: values as NewValues, outerRate: options.outerRate });
    },
    hold: async (options = {}) => {
      check([decisionOptions, options, 'options']);
      return decide({ action: 'hold', outerRate: options.outerRate });
    },
    stop: async (reason = '') => {
      check([stopReason, reason, 'reason']);
      return decide({ action: 'stop', reason });
    },
  };
}

/** @throws GlocalError INVALID_ARGUMENT */
function isTrusted(
  { report, window }: Pick<SentOuterStep, 'report' | 'window'>,
  name: string,
  { space }: TrialSpace,
): boolean {
  const components = window?.components ?? [];
  const trusted = components.flatMap((component, i) =>
    component === name || component.startsWith(`${name}/`) ? (report?.componentTrusted[i] ?? false) : [],
  );
  if (trusted.length > 0) return trusted.every((is) => is);
  const known = kindsOf(space.parameters).map(([path]) => path);
  if (known.some((path) => path === name || path.endsWith(`.${name}`))) return false;
  const description = `${show(name)} is not in the space, which has ${known.join(', ')}`;
  throw GlocalError.invalid('NOT_ENCODABLE', [{ field: 'name', description }]);
}
