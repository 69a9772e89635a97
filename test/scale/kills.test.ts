import { expect, it } from 'vitest';
import { planKills } from './kills.ts';

it('kills the share of the processes that is asked for, each of them once', () => {
  const kills = planKills(7, 0.5, 3);
  expect(kills).toHaveLength(4);
  expect(new Set(kills.map(({ victim }) => victim)).size).toBe(4);
  expect(kills.every(({ victim }) => victim >= 0 && victim < 7)).toBe(true);
  expect(planKills(7, 0, 3)).toEqual([]);
  expect(planKills(3, 1, 3)).toHaveLength(3);
});

it('follows from the seed, in the order of the moments', () => {
  const kills = planKills(20, 1, 3);
  expect(planKills(20, 1, 3)).toEqual(kills);
  expect(planKills(20, 1, 4)).not.toEqual(kills);
  const moments = kills.map(({ at }) => at);
  expect(moments).toEqual(moments.toSorted((one, other) => one - other));
});
