/**
 * Messages to the DMD service as bytes. They are encoded when they are made, since they may be sent again, and rows are copied
 * once on their way: the generated encoder, and what gRPC calls it by, take three copies of each.
 */

import { endianness } from 'node:os';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import {
  DmdServiceService,
  EstimateGlocalRequest,
  type EstimateGlocalResponse,
} from '@glocal/proto/glocal/v1/dmd';
import type { MethodDefinition } from '@grpc/grpc-js';

/** EstimateGlocal with requests that are encoded already. */
export const ESTIMATE: MethodDefinition<Buffer, EstimateGlocalResponse> = {
  ...DmdServiceService.estimateGlocal,
  requestSerialize: (encoded) => encoded,
  requestDeserialize: (bytes) => bytes,
};

/** Any message but those with rows. */
export const encodeRequest = (request: EstimateGlocalRequest): Buffer =>
  viewOf(EstimateGlocalRequest.encode(request).finish());

/**
 * A row, or a part of one.
 * @param firstComponent of a part
 */
export function encodeHypergradient(
  windowId: string,
  row: number,
  values: Float64Array,
  firstComponent: number | undefined,
): Buffer {
  const inner = new BinaryWriter().uint32(ROW).uint32(row);
  if (firstComponent !== undefined) inner.uint32(FIRST_COMPONENT).uint32(firstComponent);
  const before = inner.uint32(VALUES).uint32(values.byteLength).finish();
  const head = new BinaryWriter()
    .uint32(WINDOW_ID)
    .string(windowId)
    .uint32(HYPERGRADIENT)
    .uint32(before.length + values.byteLength)
    .finish();
  const start = head.length + before.length;
  const message = Buffer.allocUnsafeSlow(start + values.byteLength);
  message.set(head);
  message.set(before, head.length);
  const bytes = message.subarray(start);
  bytes.set(viewOf(values));
  if (endianness() === 'BE') bytes.swap64();
  return message;
}

/** Tags of the contract's fields: number · 8 + wire type. */
const WINDOW_ID = (1 << 3) | 2;
const HYPERGRADIENT = (3 << 3) | 2;
const ROW = 1 << 3;
const VALUES = (2 << 3) | 2;
const FIRST_COMPONENT = 3 << 3;

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array | Float64Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
