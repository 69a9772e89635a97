import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DIMENSIONS, sobol } from './sobol.ts';

function first(dimensions: number, count: number): Uint32Array[] {
  const sequence = sobol(dimensions);
  return Array.from({ length: count }, () => sequence.next().value);
}

describe('the Sobol sequence', () => {
  it('is that of Joe and Kuo: its point 777 in 64 dimensions, as SciPy has it', () => {
    const point = first(64, 778).at(-1);
    const units = [
      ...[2973761536, 4022337536, 700448768, 1178599424, 2730491904, 1530920960, 817889280, 3275751424],
      ...[1497366528, 1388314624, 3200253952, 2990538752, 1648361472, 2034237440, 2445279232, 2210398208],
      ...[1732247552, 3711959040, 1589641216, 3233808384, 1019215872, 1170210816, 4064280576, 2067791872],
      ...[1480589312, 624951296, 255852544, 3351248896, 272629760, 473956352, 2327838720, 3862953984],
      ...[482344960, 12582912, 3460300800, 4064280576, 1983905792, 1505755136, 1472200704, 1539309568],
      ...[3099590656, 1145044992, 4072669184, 1723858944, 1379926016, 650117120, 1614807040, 138412032],
      ...[3334471680, 4089446400, 356515840, 155189248, 2646605824, 3040870400, 2973761536, 3913285632],
      ...[1530920960, 2772434944, 3443523584, 2369781760, 2202009600, 2101346304, 591396864, 1832910848],
    ];
    expect([...(point ?? [])]).toEqual(units);
  });

  it('has one of its first 2^k points in every interval of length 2^-k, in each dimension', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 1, max: MAX_DIMENSIONS }),
        (k, dimensions) => {
          const points = first(dimensions, 2 ** k);
          for (let d = 0; d < dimensions; d++) {
            const intervals = new Set(
              points.map((point) => Math.floor((point[d] as number) / 2 ** (32 - k))),
            );
            expect(intervals.size).toBe(2 ** k);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has one of its first 2^k points in every box of that area, of whatever form, in its first two dimensions', () => {
    const k = 8;
    const points = first(2, 2 ** k);
    for (let wide = 0; wide <= k; wide++) {
      const boxes = points.map(([x = 0, y = 0]) =>
        [Math.floor(x / 2 ** (32 - wide)), Math.floor(y / 2 ** (32 - (k - wide)))].join(),
      );
      expect(new Set(boxes).size).toBe(2 ** k);
    }
  });

  it('refuses dimensions without direction numbers', () => {
    expect(() => sobol(MAX_DIMENSIONS + 1).next()).toThrow(/65 dimensions; at most 64/);
  });
});
