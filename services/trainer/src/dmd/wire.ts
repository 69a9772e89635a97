/** Messages to the DMD service as bytes, which are encoded when they are made, and sent again as they are. */

import { BinaryWriter } from '@bufbuild/protobuf/wire';
import {
  DmdServiceService,
  EstimateGlocalRequest,
  type EstimateGlocalResponse,
} from '@glocal/proto/glocal/v1/dmd';
import type { MethodDefinition } from '@grpc/grpc-js';
import { encodeLong } from '../resource/long-message.ts';

/** EstimateGlocal with requests that are encoded already. */
export const ESTIMATE: MethodDefinition<Buffer, EstimateGlocalResponse> = {
  ...DmdServiceService.estimateGlocal,
  requestSerialize: (encoded) => encoded,
  requestDeserialize: (bytes) => bytes,
};

/** Any message but those with rows. */
export const encodeRequest = (request: EstimateGlocalRequest): Buffer => {
  const { buffer, byteOffset, byteLength } = EstimateGlocalRequest.encode(request).finish();
  return Buffer.from(buffer, byteOffset, byteLength);
};

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
  return encodeLong({
    outer: new BinaryWriter().uint32(WINDOW_ID).string(windowId).finish(),
    field: HYPERGRADIENT,
    inner: inner.finish(),
    vectorsField: VALUES,
    vectors: [values],
  });
}

/** Tags and numbers of the contract's fields; a tag is number · 8 + wire type. */
const WINDOW_ID = (1 << 3) | 2;
const HYPERGRADIENT = 3;
const ROW = 1 << 3;
const VALUES = 2;
const FIRST_COMPONENT = 3 << 3;
