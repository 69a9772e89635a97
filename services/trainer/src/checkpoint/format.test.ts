import { describe, expect, it } from 'vitest';
import { initialState } from '../loop/state.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './format.ts';
import { fromParts, toParts } from './plain.ts';

const ORIGIN = { trial: 'studies/a/trials/0', library: '1.0', backend: 'cpu', datasetSha256: 'ab' };

const checkpoint = (): Checkpoint => ({
  origin: ORIGIN,
  saved: {
    state: { ...initialState(Float64Array.of(0.1, -0, 1e-310), 0.1 / 3, Number.NaN), priorNorms: [1 / 3] },
    snapshot: {
      state: {
        run: {
          weights: Float32Array.of(0.1, Number.NaN, -0, Number.POSITIVE_INFINITY),
          buffers: [Float32Array.of(1), new Float32Array()],
          derivatives: null,
          trainLoss: { sum: Number.NaN, steps: -0 },
        },
        bytes: Uint8Array.of(1, 2, 3),
        after: Float64Array.of(1 / 3),
        labels: Int32Array.of(-1),
        steps: 7,
        nothing: undefined,
      },
    },
  },
});

describe('a checkpoint', () => {
  it('comes back bit for bit, whatever the numbers are, and wherever its bytes lie', () => {
    const bytes = encodeCheckpoint(checkpoint());
    expect(decodeCheckpoint(bytes)).toEqual(checkpoint());
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(decodeCheckpoint(shifted.subarray(1))).toEqual(checkpoint());
  });

  it('keeps the bits of a number that is none', () => {
    const odd = new Float32Array(Uint32Array.of(0x7fc12345).buffer);
    const { text, arrays } = toParts({ odd });
    const { odd: again } = fromParts(text, Buffer.concat(arrays)) as { odd: Float32Array };
    expect(new Uint32Array(again.buffer)[0]).toBe(0x7fc12345);
  });

  it('is refused when any of its bytes has changed, or some are missing', () => {
    const bytes = encodeCheckpoint(checkpoint());
    for (let position = 0; position < bytes.length; position += 13) {
      const damaged = Uint8Array.from(bytes);
      damaged[position] = (damaged[position] ?? 0) ^ 1;
      expect(() => decodeCheckpoint(damaged)).toThrow(
        expect.objectContaining({ name: 'CheckpointError', message: expect.stringMatching(/^it /) }),
      );
      expect(() => decodeCheckpoint(bytes.subarray(0, position))).toThrow(
        expect.objectContaining({ name: 'CheckpointError' }),
      );
    }
  });

  it('of another version says so, and another file too', () => {
    const bytes = Buffer.from(encodeCheckpoint(checkpoint()));
    bytes.writeUInt32LE(9, 8);
    expect(() => decodeCheckpoint(bytes)).toThrow(
      'it has version 9 of the format; this trainer reads version 1',
    );
    expect(() => decodeCheckpoint(Buffer.from('SQLite format 3'))).toThrow('it is not a checkpoint');
  });

  it('takes nothing that is not plain data', () => {
    expect(() => toParts({ a: new Map() })).toThrow(TypeError);
    expect(() => toParts({ $: 1 })).toThrow(TypeError);
  });
});
