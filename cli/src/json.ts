/** What commands print for programs. */

/**
 * As JSON, in one line: vectors as arrays, times as ISO 8601, and a number that is not finite as `"NaN"`, `"Infinity"` or
 * `"-Infinity"`, as protobuf's JSON has them.
 */
export const toJson = (value: unknown): string => JSON.stringify(value, replacer);

function replacer(_key: string, value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Float64Array);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}
