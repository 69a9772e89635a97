/**
 * Fields of a message that the contract of today does not have: what a newer program sent. They are under a symbol, so that they are in no
 * JSON, no list of keys and no log, go along where an object is spread, and are encoded again as they came.
 */

/** Bytes of the fields, each by its tag (number and wire type), in the order in which they came. */
export type UnknownFields = { [tag: number]: Uint8Array[] };

/** The same for all copies of this module: a program may have several. */
export const unknownFields: unique symbol = Symbol.for('glocal.unknownFields');

/** What has such fields, or may have. */
export interface MayHaveUnknownFields {
  readonly [unknownFields]?: UnknownFields | undefined;
}

/** Those of a message, or of what was made of one: to be spread into what is made of that. */
export const unknownOf = (message: MayHaveUnknownFields | object): MayHaveUnknownFields => {
  const { [unknownFields]: fields } = message as MayHaveUnknownFields;
  return fields === undefined ? {} : { [unknownFields]: fields };
};

/** A message without such fields, in all of its parts. */
export function withoutUnknown<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutUnknown) as Value;
  if (!isPlain(value)) return value;
  const known = Object.entries(value).map(([key, part]) => [key, withoutUnknown(part)] as const);
  const copy = Object.create(Object.getPrototypeOf(value));
  for (const [key, part] of known) copy[key] = part;
  return copy;
}

/** Messages, and maps, which have no prototype. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
