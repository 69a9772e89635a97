/**
 * Keeps the trailers of an error small. A client that is sent more than it accepts gives up the connection with all calls
 * on it: Python's limit is 8 to 16 KiB, and the text travels several times, percent-encoded in `grpc-message`, and in
 * base64 in `grpc-status-details-bin`, which repeats the message and has each violation.
 */

import type { FieldViolation } from '../resource/errors.ts';

// All trailers of an error, with what HTTP/2 counts for each of them, stay below 4,096 bytes: these two shares leave 1,000
// for the rest.
/** Share of the message: in `grpc-message` and in the Status. */
const MESSAGE_BYTES = 1_600;
/** Share of the violations, before base64. */
const VIOLATION_BYTES = 1_100;
/** Of those, what the field of one may have. */
const FIELD_BYTES = 300;
/** Of those, what "and 12 more" and the framing of one violation may have. */
const MORE_BYTES = 40;
const FRAME_BYTES = 8;

const ELLIPSIS = '…';

/** The message, or its start when it is long. */
export const shortMessage = (message: string): string =>
  start(message, MESSAGE_BYTES, (text) => encodeURI(text).length + base64Length(bytesOf(text)));

/** The violations, or the first of them, cut where they are long, and how many more there are. */
export function fewViolations(violations: readonly FieldViolation[]): readonly FieldViolation[] {
  const size = ({ field, description }: FieldViolation) =>
    bytesOf(field) + bytesOf(description) + FRAME_BYTES;
  const fewer: FieldViolation[] = [];
  let left = VIOLATION_BYTES - MORE_BYTES;
  let cut = false;
  for (const violation of violations) {
    const field = start(violation.field, FIELD_BYTES, bytesOf);
    const room = left - bytesOf(field) - FRAME_BYTES;
    // A cut description is worth sending only when there would be nothing else.
    if (fewer.length > 0 && bytesOf(violation.description) > room) break;
    const description = start(violation.description, room, bytesOf);
    cut ||= field !== violation.field || description !== violation.description;
    fewer.push({ field, description });
    left -= size({ field, description });
  }
  const more = violations.length - fewer.length;
  if (more > 0) return [...fewer, { field: '', description: `and ${more} more` }];
  return cut ? fewer : violations;
}

/**
 * The longest start of a text, cut between code points and ended by an ellipsis, that costs at most `most`; the whole
 * text when it does. What is not Unicode is replaced: it cannot be percent-encoded.
 */
function start(text: string, most: number, cost: (text: string) => number): string {
  // Every code point costs at least a byte: what is beyond is not looked at, however long the text.
  const whole = text.slice(0, most + 1).toWellFormed();
  if (text.length <= most && cost(whole) <= most) return whole;
  let left = most - cost(ELLIPSIS);
  let end = 0;
  for (const character of whole) {
    left -= cost(character);
    if (left < 0) break;
    end += character.length;
  }
  return `${whole.slice(0, end)}${ELLIPSIS}`;
}

const bytesOf = (text: string): number => Buffer.byteLength(text);
const base64Length = (bytes: number): number => (4 / 3) * bytes;
