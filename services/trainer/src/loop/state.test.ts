import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeState,
  encodeState,
  initialState,
  type LoopState,
  MAX_PRIOR_NORMS,
  withNorms,
} from './state.ts';

const vectors = fc.array(fc.double(), { maxLength: 5 }).map((values) => Float64Array.from(values));
const moments = fc.record({ count: fc.nat(), mean: vectors, square: vectors });
const states: fc.Arbitrary<LoopState> = fc.record({
  outerStepsDone: fc.nat(),
  stepsDone: fc.nat(),
  validationLoss: fc.double({ min: 0 }),
  averagedValidationLoss: fc.double({ min: 0 }),
  lowestLoss: fc.double({ min: 0 }),
  optimizer: fc.record({
    point: vectors,
    adam: moments,
    rate: fc.double({ min: 0 }),
    last: fc.option(
      fc.record({
        point: vectors,
        adam: moments,
        gradient: vectors,
        rateShare: fc.double({ min: 0, max: 1, minExcluded: true, noNaN: true }),
        retried: fc.boolean(),
      }),
      { nil: undefined },
    ),
    clipped: fc.array(fc.nat(), { maxLength: 3 }),
  }),
  priorNorms: fc.array(fc.double(), { maxLength: 30 }),
  fallbackWindows: fc.nat(),
});

describe('the state of the outer loop', () => {
  it('is read as it was written, to the last bit', () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(decodeState(encodeState(state))).toEqual(state);
      }),
    );
  });

  it('is refused when a part is missing', () => {
    expect(() => decodeState(new Uint8Array())).toThrow(TypeError);
  });

  it('keeps the last norms only, however many came', () => {
    const rows = Array.from({ length: 8 }, (_, t) => Float64Array.of(t));
    let norms: readonly number[] = [];
    for (let n = 0; n < 2_000; n++) norms = withNorms(norms, rows);
    expect(norms).toHaveLength(MAX_PRIOR_NORMS);
    expect(norms.slice(-8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('begins without steps, norms or a move to take back', () => {
    expect(initialState(Float64Array.of(1, 2), 0.1, 3)).toMatchObject({
      outerStepsDone: 0,
      stepsDone: 0,
      validationLoss: 3,
      averagedValidationLoss: 3,
      optimizer: { rate: 0.1, last: undefined },
      priorNorms: [],
    });
  });
});
