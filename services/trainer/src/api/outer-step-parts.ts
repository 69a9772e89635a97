/** An outer step in parts, each below the message limit (ReadOuterStep). */

import type { OuterStep } from '@glocal/proto/glocal/v1/study';
import type { OuterStepPart } from '@glocal/proto/glocal/v1/study_service';
import { withoutLargeParts } from '../resource/outer-step.ts';

/** Bytes of rows or of a contribution in one part. */
const PART_BYTES = 1024 * 1024;

/** First the step without rows and contributions, then these, in the order that the contract states. */
export function* outerStepParts(outerStep: OuterStep): Generator<OuterStepPart> {
  const { window, report } = outerStep;
  const modes = report?.spectrum?.modes ?? [];
  yield { part: { $case: 'outerStep', value: withoutLargeParts(outerStep) } };
  for (const hypergradients of pieces(window?.hypergradients)) {
    yield { part: { $case: 'hypergradients', value: hypergradients } };
  }
  for (const [mode, { contribution: bytes }] of modes.entries()) {
    for (const contribution of pieces(bytes)) {
      yield { part: { $case: 'contribution', value: { mode, contribution } } };
    }
  }
}

function* pieces(bytes: Buffer | undefined): Generator<Buffer> {
  for (let start = 0; start < (bytes?.length ?? 0); start += PART_BYTES) {
    yield bytes?.subarray(start, start + PART_BYTES) as Buffer;
  }
}
