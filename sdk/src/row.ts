/** Hypergradients as a caller gives them. */

import { GlocalError } from './error.ts';

/** A hypergradient: a value for each component, in the order of the space. */
export type Row = Float64Array | readonly number[];

/**
 * @param components of each; undefined where only the server knows how many there are
 * @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, naming rows that are not of the space.
 */
export function asRows(rows: readonly Row[], components: number | undefined): Float64Array[] {
  const violations = Array.isArray(rows)
    ? rows.flatMap((row: Row, i) => {
        const description = whatIsWrong(row, components);
        return description === undefined ? [] : [{ field: `rows[${i}]`, description }];
      })
    : [{ field: 'rows', description: 'is not an array of rows' }];
  if (violations.length > 0) throw GlocalError.invalid('NOT_ENCODABLE', violations);
  return rows.map(asVector);
}

/** @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE */
export function asRow(row: Row, components: number): Float64Array {
  const description = whatIsWrong(row, components);
  if (description !== undefined) throw GlocalError.invalid('NOT_ENCODABLE', [{ field: 'row', description }]);
  return asVector(row);
}

const asVector = (row: Row): Float64Array => (row instanceof Float64Array ? row : Float64Array.from(row));

function whatIsWrong(row: unknown, components: number | undefined): string | undefined {
  const isRow = row instanceof Float64Array || (Array.isArray(row) && row.every(Number.isFinite));
  if (!isRow) return 'is not a Float64Array, or an array of finite numbers';
  if (components === undefined || row.length === components) return undefined;
  return `has ${row.length} values; the space has ${components} components that move`;
}
