import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeComplex, decodeRows, decodeVector } from './float64.ts';

/** Little-endian bytes of the values, at an odd offset of a larger buffer as gRPC's often are. */
function bytesOf(values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 8 + 3);
  values.forEach((value, i) => {
    buffer.writeDoubleLE(value, 3 + i * 8);
  });
  return buffer.subarray(3);
}

describe('vectors of the contract', () => {
  it('come as the values that were sent', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        expect([...decodeVector(bytesOf(values))]).toEqual(values);
      }),
    );
  });

  it('come as rows', () => {
    expect(decodeRows(bytesOf([1, 2, 3, 4, 5, 6]), 2, 3)).toEqual([
      Float64Array.of(1, 2, 3),
      Float64Array.of(4, 5, 6),
    ]);
  });

  it('come as complex numbers', () => {
    expect(decodeComplex(bytesOf([1, 2, 3, 4]))).toEqual({
      re: Float64Array.of(1, 3),
      im: Float64Array.of(2, 4),
    });
  });

  it('are refused when bytes are missing', () => {
    const dataLoss = expect.objectContaining({ code: 'DATA_LOSS' });
    expect(() => decodeVector(bytesOf([1]).subarray(1))).toThrow(dataLoss);
    expect(() => decodeRows(bytesOf([1, 2, 3]), 2, 2)).toThrow(dataLoss);
  });
});
