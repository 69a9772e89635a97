import { LoopState } from '@glocal/proto/glocal/v1/loop_state';
import { expect, it } from 'vitest';
import { Encoder } from './encoder.ts';

it('encodes each message as if it were the first, also after one that cannot be encoded', () => {
  const encoder = new Encoder();
  const states = [1_000, 3, 40].map((length) =>
    LoopState.fromPartial({ outerStepsDone: length, priorNorms: new Array(length).fill(length) }),
  );
  const encoded = states.map((state) => encoder.encode(LoopState, state));
  expect(() =>
    encoder.encode(LoopState, { ...(states[0] as LoopState), fallbackWindows: 2 ** 40 }),
  ).toThrow();
  expect(encoded.map((bytes) => LoopState.decode(bytes))).toEqual(states);
  const [first] = states as [LoopState];
  expect(encoder.encode(LoopState, first)).toEqual(LoopState.encode(first).finish());
});
