/** What a client decides about a window of a trial that it drives. */

import * as proto from '@glocal/proto/glocal/v1/study';
import { type GlocalError, withFields } from './error.ts';
import type { NewValues } from './space-values.ts';

/** What a client decided about a window. */
export type Decision = {
  /** Outer learning rate from this update on; undefined where it stayed. */
  readonly outerRate?: number | undefined;
} & (
  | {
      /** Took the proposed update, or moved nothing. */
      readonly action: 'accept' | 'hold';
    }
  | {
      /** Moved to these values and held the others. */
      readonly action: 'set';
      readonly values: NewValues;
    }
  | {
      /** Ended the trial. */
      readonly action: 'stop';
      readonly reason: string;
    }
);

/** @param outerStep index of the outer step that it is about */
export function encodeDecision(outerStep: number, decision: Decision): proto.Decision {
  const { outerRate } = decision;
  return proto.Decision.create({
    outerStep,
    action: encodeAction(decision),
    ...(outerRate !== undefined && { outerRate }),
  });
}

function encodeAction(decision: Decision): NonNullable<proto.Decision['action']> {
  switch (decision.action) {
    case 'accept':
      return { $case: 'accept', value: {} };
    case 'hold':
      return { $case: 'hold', value: {} };
    case 'stop':
      return { $case: 'stop', value: { reason: decision.reason } };
    case 'set':
      return { $case: 'setValues', value: { values: encodeValues(decision.values) } };
  }
}

function encodeValues(values: NewValues): proto.ParameterValue[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return typeof value === 'number' ? { name, value, values: [] } : { name, value: 0, values: [...value] };
  });
}

/** Undefined for an action that only a newer SDK knows. */
export function decodeDecision({ action, outerRate }: proto.Decision): Decision | undefined {
  switch (action?.$case) {
    case 'accept':
    case 'hold':
      return { action: action.$case, outerRate };
    case 'stop':
      return { action: 'stop', reason: action.value.reason, outerRate };
    case 'setValues': {
      const entries = action.value.values.map(({ name, value, values }) => [
        name,
        values.length > 0 ? values : value,
      ]);
      return { action: 'set', values: Object.fromEntries(entries) as NewValues, outerRate };
    }
    case undefined:
      return undefined;
  }
}

/**
 * What the server has against a decision, with the fields as its caller wrote them: `decision.setValues.values[0].value` is
 * the hyperparameter that was given first.
 */
export const asDecided = (error: GlocalError, decision: Decision): GlocalError =>
  withFields(error, (field) => decisionField(field, decision));

function decisionField(field: string, decision: Decision): string {
  const path = field.replace(/^decision\.(?:stop\.|setValues\.)?/, '');
  const [, position, component = ''] = path.match(/^values\[(\d+)\](?:\.values(\[\d+\])?|\.\w+)?$/) ?? [];
  if (position === undefined || decision.action !== 'set') return path;
  const names = Object.keys(decision.values).filter((name) => decision.values[name] !== undefined);
  return `${names[Number(position)] ?? path}${component}`;
}
