/**
 * A checkpoint as bytes: the outer loop and its learner at one outer-step boundary, with what they belong to.
 *
 * `GLOCALCP`, the version of the format and the length of the text (uint32, little-endian), the text (JSON), the arrays that it
 * refers to (little-endian), and the SHA-256 of all that. Numbers come back bit for bit.
 */

import { createHash } from 'node:crypto';
import type { Snapshot } from '../loop/learner.ts';
import type { SavedLoop } from '../loop/outer-loop.ts';
import { decodeState, encodeState } from '../loop/state.ts';
import { CheckpointError } from './errors.ts';
import { fromParts, toParts } from './plain.ts';

/** What a checkpoint is of, and what has computed it. */
export interface Origin {
  /** Resource name. */
  readonly trial: string;
  /** Of the trainer. */
  readonly library: string;
  /** As it is described for people. */
  readonly backend: string;
  /** Of the data set's content. */
  readonly datasetSha256: string;
}

export interface Checkpoint {
  readonly origin: Origin;
  readonly saved: SavedLoop;
}

const MAGIC = Buffer.from('GLOCALCP');
const VERSION = 1;
const HEADER_BYTES = MAGIC.length + 8;
const HASH_BYTES = 32;

export function encodeCheckpoint({ origin, saved: { state, snapshot } }: Checkpoint): Uint8Array {
  const { text, arrays } = toParts({ origin, state: encodeState(state), snapshot });
  const encodedText = Buffer.from(text);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, MAGIC.length);
  header.writeUInt32LE(encodedText.length, MAGIC.length + 4);
  const parts = [header, encodedText, ...arrays];
  return Buffer.concat([...parts, sha256(parts)]);
}

/** @throws CheckpointError when it is something else, of another version, or damaged. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!all.subarray(0, MAGIC.length).equals(MAGIC)) throw new CheckpointError('it is not a checkpoint');
  if (all.length < HEADER_BYTES + HASH_BYTES) throw new CheckpointError('it is damaged: it ends too soon');
  const version = all.readUInt32LE(MAGIC.length);
  if (version !== VERSION) {
    throw new CheckpointError(
      `it has version ${version} of the format; this trainer reads version ${VERSION}`,
    );
  }
  const content = all.subarray(0, -HASH_BYTES);
  if (!sha256([content]).equals(all.subarray(-HASH_BYTES))) {
    throw new CheckpointError('it is damaged: its checksum is another one');
  }
  const begin = HEADER_BYTES + all.readUInt32LE(MAGIC.length + 4);
  const { origin, state, snapshot } = fromParts(
    content.toString('utf8', HEADER_BYTES, begin),
    content.subarray(begin),
  ) as { readonly origin: Origin; readonly state: Uint8Array; readonly snapshot: Snapshot };
  return { origin, saved: { state: decodeState(state), snapshot } };
}

function sha256(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
