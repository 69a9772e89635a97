/**
 * Messages of which vectors are the most, as bytes. The generated encoder, and what gRPC calls it by, take four copies of each
 * vector and memory for six; here it is copied once.
 */

import { endianness } from 'node:os';
import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** A message with a message in it that has the vectors. */
export interface LongMessage {
  /** The fields of the outer one besides the inner one, encoded. */
  readonly outer?: Uint8Array;
  /** Number of the inner one in the outer one. */
  readonly field: number;
  /** The fields of the inner one besides the vectors, encoded. */
  readonly inner: Uint8Array;
  /** Number of the vectors in the inner one. */
  readonly vectorsField: number;
  /** One after another. */
  readonly vectors: readonly Float64Array[];
}

export function encodeLong({ outer, field, inner, vectorsField, vectors }: LongMessage): Buffer {
  const bytes = vectors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const beforeVectors = new BinaryWriter().uint32(tag(vectorsField)).uint32(bytes).finish();
  const beforeInner = new BinaryWriter()
    .uint32(tag(field))
    .uint32(inner.length + beforeVectors.length + bytes)
    .finish();
  const parts = [...(outer ? [outer] : []), beforeInner, inner, beforeVectors];
  const start = parts.reduce((sum, { length }) => sum + length, 0);
  // Not from the pool, of which a message that waits would hold other parts, too.
  const message = Buffer.allocUnsafeSlow(start + bytes);
  let position = 0;
  const append = (part: Uint8Array) => {
    message.set(part, position);
    position += part.length;
  };
  for (const part of parts) append(part);
  for (const { buffer, byteOffset, byteLength } of vectors) {
    append(new Uint8Array(buffer, byteOffset, byteLength));
  }
  if (endianness() === 'BE') message.subarray(start).swap64();
  return message;
}

/** Of a field that has a length. */
const tag = (field: number): number => (field << 3) | 2;
