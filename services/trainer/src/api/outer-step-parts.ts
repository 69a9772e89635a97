/** An outer step in parts, each below the message limit (ReadOuterStep). */

import { OuterStep } from '@glocal/proto/glocal/v1/study';
import type { OuterStepPart } from '@glocal/proto/glocal/v1/study_service';
import { MAX_MESSAGE_BYTES } from '../resource/message-size.ts';
import { FRAME_BYTES, forList, withoutLargeParts } from '../resource/outer-step.ts';

/** Bytes of rows or of a contribution in one part. */
const PART_BYTES = 1024 * 1024;

/** First the step without rows and contributions, then these, in the order that the contract states. */
export function* outerStepParts(outerStep: OuterStep): Generator<OuterStepPart> {
  const { window, report } = outerStep;
  const modes = report?.spectrum?.modes ?? [];
  yield* leanParts(withoutLargeParts(outerStep));
  for (const hypergradients of pieces(window?.hypergradients)) {
    yield { part: { $case: 'hypergradients', value: hypergradients } };
  }
  for (const [mode, { contribution: bytes }] of modes.entries()) {
    for (const contribution of pieces(bytes)) {
      yield { part: { $case: 'contribution', value: { mode, contribution } } };
    }
  }
}

/** The step itself, in pieces where its vectors alone pass the message limit. */
function* leanParts(outerStep: OuterStep): Generator<OuterStepPart> {
  const encoded = Buffer.from(OuterStep.encode(outerStep).finish());
  if (encoded.length <= MAX_MESSAGE_BYTES - FRAME_BYTES) {
    yield { part: { $case: 'outerStep', value: outerStep } };
    return;
  }
  for (const piece of pieces(encoded)) yield { part: { $case: 'encodedOuterStep', value: piece } };
}

/** The step as a client that trains is told of it: without rows, and of its vectors the next values where not all fit. */
export function forClient(outerStep: OuterStep): OuterStep {
  const lean = withoutLargeParts(outerStep);
  const listed = forList(lean);
  return listed === lean ? lean : { ...listed, nextValues: lean.nextValues };
}

function* pieces(bytes: Buffer | undefined): Generator<Buffer> {
  for (let start = 0; start < (bytes?.length ?? 0); start += PART_BYTES) {
    yield bytes?.subarray(start, start + PART_BYTES) as Buffer;
  }
}
