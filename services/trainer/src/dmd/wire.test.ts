import { EstimateGlocalRequest } from '@glocal/proto/glocal/v1/dmd';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeHypergradient } from './wire.ts';

it('encodes rows, and parts of them, as the contract has it', () => {
  const values = fc
    .array(fc.double({ noNaN: true }), { maxLength: 40 })
    .map((given) => Float64Array.from(given));
  const position = fc.nat(2 ** 31);
  fc.assert(
    fc.property(
      fc.string(),
      position,
      values,
      fc.option(position, { nil: undefined }),
      (windowId, row, given, firstComponent) => {
        const { payload, ...request } = EstimateGlocalRequest.decode(
          encodeHypergradient(windowId, row, given, firstComponent),
        );
        expect(request.windowId).toBe(windowId);
        const bytes = Buffer.from(given.buffer);
        expect(payload).toEqual({ $case: 'hypergradient', value: { row, values: bytes, firstComponent } });
      },
    ),
  );
});
