/** 64-bit integers of the contract, which arrive as bigints, as the numbers that people count with. */

/** The same fields, with numbers in place of bigints. */
export type PlainNumbers<Fields> = {
  readonly [Key in keyof Fields]: Fields[Key] extends bigint ? number : Fields[Key];
};

/** Exact up to 2^53: nothing that the contract counts is larger. */
export function plainNumbers<Fields extends object>(fields: Fields): PlainNumbers<Fields> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === 'bigint' ? Number(value) : value]),
  ) as PlainNumbers<Fields>;
}
