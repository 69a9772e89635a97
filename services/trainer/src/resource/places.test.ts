import { describe, expect, it } from 'vitest';
import { Places } from './places.ts';

const places = (max: number) =>
  new Places({ max, what: 'calls are going on', reason: 'CALLS', retryAfterMs: 5_000 });

describe('places', () => {
  it('are as many as there may be, and free again once they are given back', () => {
    const all = places(2);
    const first = all.take('');
    all.take('');
    expect(() => all.take('ann')).toThrow(
      expect.objectContaining({
        reason: 'CALLS',
        message: '2 calls are going on, as many as this server allows',
        retryAfterMs: 5_000,
      }),
    );
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(all.taken).toBe(1);
    all.take('ann');
    expect(() => all.take('ann')).toThrow(expect.objectContaining({ reason: 'CALLS' }));
  });

  it('are for one owner at most half of them, so that others find some', () => {
    const all = places(5);
    const [first] = [1, 2, 3].map(() => all.take('ann'));
    expect(() => all.take('ann')).toThrow(
      expect.objectContaining({
        reason: 'OWNER_CALLS',
        message: '3 calls are going on for ann, as many as this server allows one owner',
        retryAfterMs: 5_000,
      }),
    );
    all.take('bob');
    first?.[Symbol.dispose]();
    all.take('ann');
  });

  it('are all for who comes where nobody is asked who they are', () => {
    const all = places(3);
    for (let i = 0; i < 3; i++) all.take('');
    expect(all.taken).toBe(3);
  });

  it('let an owner in where there is only one', () => {
    places(1).take('ann');
  });
});
