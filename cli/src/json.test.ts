import { expect, it } from 'vitest';
import { toJson } from './json.ts';

it('has vectors as arrays, times as text, and tells what is not finite', () => {
  const value = {
    vector: Float64Array.of(1, Number.NaN),
    time: new Date(0),
    loss: Number.POSITIVE_INFINITY,
    absent: undefined,
  };
  expect(toJson(value)).toBe('{"vector":[1,"NaN"],"time":"1970-01-01T00:00:00.000Z","loss":"Infinity"}');
});
