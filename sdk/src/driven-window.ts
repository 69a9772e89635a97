/** A window that waits for a decision. */

import { decisionOptions, newValues, stopReason } from './check/decisions.ts';
import { check } from './check/rule.ts';
import type { Decision } from './decision.ts';
import type { MovingName, NewValues, ParameterMap, SentValues } from './space.ts';
import type { SentOuterStep } from './trial.ts';

/** Options of a decision. */
export interface DecisionOptions {
  /** Outer learning rate from this update on, above 0; `accept` makes the update with it. @default as it was */
  readonly outerRate?: number | undefined;
}

/**
 * What the service would do about a window: `nextValues` are the values that it would move to, `update` how they come about.
 * Each of its methods decides; it resolves to the outer step when that is stored. A decision that was refused can be
 * followed by another.
 */
export interface DrivenWindow<P extends ParameterMap = ParameterMap> extends SentOuterStep<P> {
  /** Values during this outer step. */
  readonly values: SentValues<P>;
  /** When the trial is PAUSED unless a decision has come. */
  readonly deadline: Date | undefined;
  /** Whether accepting it ends the trial as INFEASIBLE. */
  readonly givesUp: boolean;
  /** Whether the glocal estimate of a hyperparameter can be trusted; of a vector, that of all of its components. */
  trusted(name: MovingName<P>): boolean;
  /** Takes the proposed update. */
  accept(options?: DecisionOptions): Promise<SentOuterStep<P>>;
  /** Moves to other values, in natural units and within their bounds; those that are left out are held. */
  set(values: NewValues<P>, options?: DecisionOptions): Promise<SentOuterStep<P>>;
  /** Moves nothing. */
  hold(options?: DecisionOptions): Promise<SentOuterStep<P>>;
  /** Ends the trial: it has SUCCEEDED with the steps done so far. @param reason for people, at most 500 characters */
  stop(reason?: string): Promise<SentOuterStep<P>>;
}

/** @param decide passes a decision on */
export function drivenWindow<P extends ParameterMap>(
  step: SentOuterStep<P>,
  proposal: Pick<DrivenWindow, 'deadline' | 'givesUp'>,
  decide: (decision: Decision) => Promise<SentOuterStep<P>>,
): DrivenWindow<P> {
  return {
    ...step,
    ...proposal,
    trusted: (name) => isTrusted(step, name),
    accept: async (options = {}) => {
      check([decisionOptions, options, 'options']);
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

function isTrusted({ report, window }: SentOuterStep, name: string): boolean {
  const trusted = window?.components.flatMap((component, i) =>
    component === name || component.startsWith(`${name}/`) ? (report?.componentTrusted[i] ?? false) : [],
  );
  return trusted !== undefined && trusted.length > 0 && trusted.every((is) => is);
}
