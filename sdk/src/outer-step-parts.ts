/** Outer steps of any size, which the server streams in parts: a message of gRPC ends at 4 MiB. */

import { OuterStep } from '@glocal/proto/glocal/v1/study';
import { type OuterStepPart, StudyServiceService } from '@glocal/proto/glocal/v1/study_service';
import { GlocalError } from './error.ts';
import type { CallOptions } from './options.ts';
import type { Transport } from './transport.ts';

/**
 * An outer step with the rows of its window and the contributions of its modes.
 * @param name `studies/{study}/trials/{trial}/outerSteps/{index}`
 */
export async function readOuterStep(
  transport: Transport,
  name: string,
  options: CallOptions = {},
): Promise<OuterStep> {
  try {
    const method = StudyServiceService.readOuterStep;
    return await transport.repeating(method, options, (attempt) =>
      joinParts(transport.serverStream(method, { name }, attempt), name),
    );
  } catch (error) {
    if (!(error instanceof GlocalError) || error.code !== 'UNIMPLEMENTED') throw error;
    // An older server, whose steps are as large as a message may be.
    return transport.unary(StudyServiceService.getOuterStep, { name }, options);
  }
}

/** @throws GlocalError DATA_LOSS when the parts are not those of one outer step. */
async function joinParts(parts: AsyncIterable<OuterStepPart>, name: string): Promise<OuterStep> {
  let step: OuterStep | undefined;
  const encoded: Uint8Array[] = [];
  const rows: Uint8Array[] = [];
  const contributions = new Map<number, Uint8Array[]>();
  for await (const { part } of parts) {
    if (part?.$case === 'outerStep') step = part.value;
    else if (part?.$case === 'encodedOuterStep') encoded.push(part.value);
    else if (part?.$case === 'hypergradients') rows.push(part.value);
    else if (part?.$case === 'contribution') {
      const { mode, contribution } = part.value;
      const pieces = contributions.get(mode) ?? [];
      pieces.push(contribution);
      contributions.set(mode, pieces);
    }
  }
  const broken = () =>
    new GlocalError('DATA_LOSS', `the parts of ${name} that came do not make an outer step`);
  if (encoded.length > 0) step = OuterStep.decode(Buffer.concat(encoded));
  if (step === undefined) throw broken();
  if (rows.length > 0) {
    if (step.window === undefined) throw broken();
    step.window.hypergradients = Buffer.concat(rows);
  }
  for (const [position, pieces] of contributions) {
    const mode = step.report?.spectrum?.modes[position];
    if (mode === undefined) throw broken();
    mode.contribution = Buffer.concat(pieces);
  }
  return step;
}
