/**
 * How records are kept: protobuf messages, so that fields can be added without migrating. Of an outer step what is large
 * is kept apart from the rest, and an event refers to its outer step.
 */

import { OuterStep } from '@glocal/proto/glocal/v1/study';
import { StudyEvent } from '@glocal/proto/glocal/v1/study_service';
import type { OuterStepProgress } from '../lifecycle/transitions.ts';
import { Encoder } from '../resource/encoder.ts';
import { largePartsOf, withLargeParts, withoutLargeParts } from '../resource/outer-step.ts';
import type { StoredEvent } from './store.ts';

/** An outer step in two encoded halves. */
export interface OuterStepRecord {
  /** An OuterStep without its large parts. */
  readonly record: Uint8Array;
  /** An OuterStep of nothing but its large parts; absent when they were not asked for. */
  readonly large?: Uint8Array | undefined;
  /** Rows of its window, in pieces, which come before those in `large`; absent when they were not asked for. */
  readonly rows?: readonly Uint8Array[];
}

const encoder = new Encoder();

/** An outer step to be stored. */
export interface NewOuterStepRecord {
  readonly record: Uint8Array;
  readonly large: Uint8Array;
  /** What of it is needed to store it, so that nobody decodes the record. */
  readonly progress: OuterStepProgress;
}

export function encodeOuterStep(outerStep: OuterStep): NewOuterStepRecord {
  const { index, step, nextValues, validation, averagedValidation, timing, update } = outerStep;
  const { fellBack = false } = update ?? {};
  return {
    record: encoder.encode(OuterStep, withoutLargeParts(outerStep)),
    large: encoder.encode(OuterStep, largePartsOf(outerStep)),
    progress: { index, step, nextValues, validation, averagedValidation, timing, update: { fellBack } },
  };
}

export function decodeOuterStep({ record, large, rows = [] }: OuterStepRecord): OuterStep {
  const outerStep = OuterStep.decode(record);
  if (large === undefined) return outerStep;
  const whole = withLargeParts(outerStep, OuterStep.decode(large));
  const { window } = whole;
  if (rows.length === 0 || window === undefined) return whole;
  return { ...whole, window: { ...window, hypergradients: Buffer.concat([...rows, window.hypergradients]) } };
}

/** An event, with the outer step that it tells of apart. */
export interface EventRecord {
  readonly sequence: number;
  /** A StudyEvent; without its event when that is an outer step. */
  readonly record: Uint8Array;
  /** An OuterStep without its large parts. */
  readonly outerStep?: Uint8Array | undefined;
}

/** Its cursor is its sequence, which the row has. @param event undefined for an outer step, which is referred to. */
export function encodeEvent(time: Date, event: StudyEvent['event']): Uint8Array {
  return StudyEvent.encode({ cursor: '', time, event }).finish();
}

export function decodeEvent({ sequence, record, outerStep }: EventRecord): StoredEvent {
  const event = { ...StudyEvent.decode(record), cursor: String(sequence) };
  if (outerStep !== undefined) event.event = { $case: 'outerStep', value: OuterStep.decode(outerStep) };
  return { sequence, event };
}
