/** Checks what a driver decides, before it is stored: the training process does what it is told. */

import { type Decision, Estimator, type ParameterValue, type Study } from '@glocal/proto/glocal/v1/study';
import { coordinateOf } from '../hyper/search-point.ts';
import { FieldError, type FieldViolation, StateError } from '../resource/errors.ts';
import { characters, quote } from '../resource/quote.ts';
import type { WindowProposal } from './desk.ts';

const MAX_REASON = 500;

/**
 * @param study complete.
 * @param proposal that the decision is about.
 * @throws FieldError, StateError
 */
export function checkDecision(study: Study, proposal: WindowProposal, decision: Decision): void {
  const { action } = decision;
  const violations = rateViolations(study, decision);
  switch (action?.$case) {
    case undefined:
      violations.push({ field: 'decision', description: 'has none of accept, set_values, hold and stop' });
      break;
    case 'setValues':
      violations.push(...valuesViolations(study, proposal, action.value.values));
      break;
    case 'stop': {
      const length = characters(action.value.reason);
      if (length > MAX_REASON) {
        const description = `has ${length} characters; at most ${MAX_REASON}`;
        violations.push({ field: 'decision.stop.reason', description });
      }
      break;
    }
  }
  if (violations.length > 0) throw new FieldError('INVALID_DECISION', violations);
  if (action?.$case === 'hold' && !proposal.sound) {
    throw new StateError(
      `the figures of outer step ${decision.outerStep} are not finite, and training cannot go on from there; accept, set values or stop`,
    );
  }
}

function rateViolations({ method }: Study, { outerRate: rate }: Decision): FieldViolation[] {
  const field = 'decision.outer_rate';
  if (rate === undefined) return [];
  if (method?.estimator === Estimator.FIXED) {
    return [{ field, description: 'has no effect with FIXED, where nothing moves by it; leave it out' }];
  }
  return rate > 0 && Number.isFinite(rate)
    ? []
    : [{ field, description: `${rate} is not a positive number` }];
}

function valuesViolations(
  { space }: Study,
  { outerStep }: WindowProposal,
  values: readonly ParameterValue[],
): FieldViolation[] {
  const path = 'decision.set_values.values';
  if (values.length === 0) return [{ field: path, description: 'sets nothing; hold does that' }];
  const seen = new Set<string>();
  return values.flatMap((given, position): FieldViolation[] => {
    const field = `${path}[${position}]`;
    const { name } = given;
    const parameter = space?.parameters.find((listed) => listed.name === name);
    const coordinate = parameter && coordinateOf(parameter);
    if (coordinate === undefined) {
      const moves = space?.parameters.filter((listed) => coordinateOf(listed) !== undefined) ?? [];
      const description = `${quote(name)} is none of those that move: ${moves.map((listed) => listed.name).join(', ')}`;
      return [{ field: `${field}.name`, description }];
    }
    if (seen.has(name)) return [{ field: `${field}.name`, description: `${name} is set twice` }];
    seen.add(name);
    const size = outerStep.values.find((value) => value.name === name)?.values.length ?? 0;
    const wrongSize = sizeViolation(given, size, field);
    if (wrongSize !== undefined) return [wrongSize];
    const inVector = given.values.length > 0;
    const broken = (inVector ? given.values : [given.value]).flatMap((value, i) => {
      const description = whyNot(() => coordinate.toUnconstrained(value));
      return description === undefined
        ? []
        : [{ field: inVector ? `${field}.values[${i}]` : `${field}.value`, description }];
    });
    // One is enough to say of a vector.
    return broken.slice(0, 1);
  });
}

/** @param size of a vector; 0 for a single value. */
function sizeViolation(
  { name, values: { length } }: ParameterValue,
  size: number,
  field: string,
): FieldViolation | undefined {
  if (length === 0 || length === size) return undefined;
  const description =
    size === 0 ? `${name} is one value; set it in value` : `${length} values for the ${size} of ${name}`;
  return { field: `${field}.values`, description };
}

function whyNot(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
