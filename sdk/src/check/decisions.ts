/** What a client says while it drives a trial, or reports for one. */

import type { DecisionOptions, StepOptions } from '../driven-window.ts';
import type { ReportFigures } from '../report-session.ts';
import type { Evaluation } from '../trial.ts';
import { finite, INT32_MAX, list, object, optional, type Rule, record, rule, text, whole } from './rule.ts';

const value: Rule = (given, field, violations) =>
  (Array.isArray(given) ? list(finite) : finite)(given, field, violations);

/** Values by name. Which names there are, and between which bounds, is the server's to say. */
export const newValues = record(optional(value));
export const decisionOptions = object<DecisionOptions>({ outerRate: optional(finite) });
export const stepOptions = object<StepOptions>({ outerRate: finite });
export const stopReason = text;

/** A loss that is not finite says that training has diverged. */
const loss = rule((given) => typeof given === 'number', 'a number');
export const reportFigures = object<ReportFigures>({
  trainLoss: optional(loss),
  validation: optional(
    object<Evaluation>({ loss, accuracy: optional(finite), examples: optional(whole(0, INT32_MAX)) }),
  ),
});
