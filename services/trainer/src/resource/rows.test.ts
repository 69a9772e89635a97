import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRow, encodeRow, encodeRows, viewRow } from './rows.ts';

describe('rows', () => {
  it('travel as little-endian binary64, row by row', () => {
    expect(encodeRows([Float64Array.of(1), Float64Array.of(-2)]).toString('hex')).toBe(
      `${'00'.repeat(6)}f03f${'00'.repeat(7)}c0`,
    );
    expect(encodeRow(Float64Array.of(3, 1, -2).subarray(1))).toEqual(encodeRows([Float64Array.of(1, -2)]));
  });

  it('come out as they went in, to the last bit, wherever the bytes lie', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { maxLength: 20 }), fc.nat(7), (values, offset) => {
        const bytes = Buffer.concat([Buffer.alloc(offset), encodeRows([Float64Array.from(values)])]);
        const decoded = decodeRow(bytes.subarray(offset));
        expect([...decoded].every((value, i) => Object.is(value, values[i]))).toBe(true);
        expect(decoded).toHaveLength(values.length);
        expect(viewRow(bytes.subarray(offset))).toEqual(decoded);
      }),
    );
  });
});
