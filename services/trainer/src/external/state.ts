/** What is kept of an external trial's outer loop at an outer-step boundary. */

import { ExternalState as Record } from '@glocal/proto/glocal/v1/loop_state';
import { type LoopState, stateOf, stateRecord } from '../loop/state.ts';
import { Encoder } from '../resource/encoder.ts';
import { decodeRow, encodeRow } from '../resource/rows.ts';

export interface ExternalState {
  readonly loop: LoopState;
  /** phi during the window that the last outer step was about. */
  readonly lastPoint: Float64Array;
}

/** As it is kept: an encoded `glocal.v1.ExternalState`. */
export const encodeState = ({ loop, lastPoint }: ExternalState): Uint8Array =>
  encoder.encode(Record, { loop: stateRecord(loop), lastPoint: encodeRow(lastPoint) });

const encoder = new Encoder();

/**
 * The same state again, bit for bit.
 * @throws TypeError when the bytes are not of a whole state.
 */
export function decodeState(bytes: Uint8Array): ExternalState {
  const { loop, lastPoint } = Record.decode(bytes);
  if (loop === undefined) throw new TypeError('the state of an external trial has no outer loop');
  return { loop: stateOf(loop), lastPoint: decodeRow(lastPoint) };
}
