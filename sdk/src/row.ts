/** Hypergradients as a caller gives them. */

import { counted } from './counted.ts';
import { GlocalError } from './error.ts';

/** A hypergradient: a value for each component, in the order of the space. */
export type Row = Float64Array | readonly number[];

/** How long rows are to be, and of what: `the space has 2 components that move`. */
export interface RowShape {
  readonly components: number;
  readonly why: string;
}

/** Of a search space. */
export const ofSpace = (components: number): RowShape => ({
  components,
  why: `the space has ${counted(components, 'component')} that move${components === 1 ? 's' : ''}`,
});

/** Of a window. */
export const ofWindow = (components: number): RowShape => ({
  components,
  why: `the window has ${counted(components, 'component')}`,
});

/**
 * @param shape of each; undefined where only the server knows it
 * @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE, naming rows that have another one.
 */
export function asRows(rows: readonly Row[], shape: RowShape | undefined): Float64Array[] {
  const violations = Array.isArray(rows)
    ? rows.flatMap((row: Row, i) => {
        const description = whatIsWrong(row, shape);
        return description === undefined ? [] : [{ field: `rows[${i}]`, description }];
      })
    : [{ field: 'rows', description: 'is not an array of rows' }];
  if (violations.length > 0) throw GlocalError.invalid('NOT_ENCODABLE', violations);
  return rows.map(asVector);
}

/**
 * @param field that it is given as
 * @throws GlocalError INVALID_ARGUMENT, reason NOT_ENCODABLE
 */
export function asRow(row: Row, shape: RowShape | undefined, field: string): Float64Array {
  const description = whatIsWrong(row, shape);
  if (description !== undefined) throw GlocalError.invalid('NOT_ENCODABLE', [{ field, description }]);
  return asVector(row);
}

const asVector = (row: Row): Float64Array => (row instanceof Float64Array ? row : Float64Array.from(row));

function whatIsWrong(row: unknown, shape: RowShape | undefined): string | undefined {
  const isRow = row instanceof Float64Array || (Array.isArray(row) && row.every(Number.isFinite));
  if (!isRow) return 'is not a Float64Array, or an array of finite numbers';
  if (shape === undefined || row.length === shape.components) return undefined;
  return `has ${counted(row.length, 'value')}; ${shape.why}`;
}
