import { expect, it } from 'vitest';
import { BusyError } from '../resource/errors.ts';
import { WindowRoom } from './room.ts';

it('has room for windows up to its size, and for one of any size when it is empty', () => {
  const room = new WindowRoom(100);
  {
    using _first = room.take(60);
    using _second = room.take(40);
    expect(() => room.take(1)).toThrow(BusyError);
  }
  using _large = room.take(1_000);
  expect(() => room.take(1)).toThrow(BusyError);
});
