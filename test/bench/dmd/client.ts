/** Windows to send to a DMD service, and the ways to send them. */

import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DmdOptions,
  DmdServiceClient,
  type EstimateGlocalRequest,
  type EstimateGlocalResponse,
  type WindowSpec,
} from '@glocal/proto/glocal/v1/dmd';
import type { Rows } from '@glocal/trainer/dmd';
import { encodeRow } from '@glocal/trainer/dmd';
import { type ChannelOptions, credentials } from '@grpc/grpc-js';

/** Rows of every window. */
export const ROWS = 20;

/** A report of 100,000 components passes grpc-js's default limit. */
export const connect = (address: string, options: ChannelOptions = {}): DmdServiceClient =>
  new DmdServiceClient(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    ...options,
  });

/** A window as training gives them: per component a constant, two decaying modes, and noise of 5 %. */
export function noisyWindow(components: number): Float64Array[] {
  const uniform = () => 2 * Math.random() - 1;
  const modes = Array.from({ length: components }, () => [uniform(), uniform(), uniform()] as const);
  return Array.from({ length: ROWS }, (_, t) =>
    Float64Array.from(
      modes,
      ([constant, slow, fast]) => constant + slow * 0.9 ** t + fast * 0.6 ** t + 0.05 * uniform(),
    ),
  );
}

export const specOf = (rows: Rows): WindowSpec => ({
  rows: rows.length,
  components: rows[0]?.length ?? 0,
  options: DmdOptions.create(),
  priorNorms: [],
});

/** The messages of a window on a stream, encoded as the trainer does. */
export function* messagesOf(windowId: string, rows: Rows): Generator<EstimateGlocalRequest> {
  yield { windowId, payload: { $case: 'open', value: specOf(rows) } };
  for (const [row, values] of rows.entries()) {
    const value = { row, values: encodeRow(values) };
    yield { windowId, payload: { $case: 'hypergradient', value } };
  }
}

/**
 * All answers to the messages, which go out as fast as the service takes them.
 * @throws ServiceError
 */
export const stream = async (
  client: DmdServiceClient,
  messages: Iterable<EstimateGlocalRequest>,
): Promise<EstimateGlocalResponse[]> => {
  const received: EstimateGlocalResponse[] = [];
  const collect = async (answers: AsyncIterable<EstimateGlocalResponse>) => {
    for await (const answer of answers) received.push(answer);
  };
  // grpc-js's streams are those of objects, of which `pipeline` has no type.
  const call = client.estimateGlocal() as unknown as Duplex;
  await pipeline(Readable.from(messages), call, collect);
  return received;
};
