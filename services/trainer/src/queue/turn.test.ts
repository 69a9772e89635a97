import { describe, expect, it } from 'vitest';
import { nextTurn } from './turn.ts';

const trials = (study: string, ...numbers: number[]) =>
  numbers.map((number) => `studies/${study}/trials/${number}`);
const running = (study: string, atATime: number | undefined, ...numbers: number[]) =>
  trials(study, ...numbers).map((trial) => ({ trial, atATime }));

describe('the next turn', () => {
  it('is that of the trial that came first', () => {
    expect(nextTurn(trials('a', 3, 4), running('b', 1, 0))).toBe('studies/a/trials/3');
    expect(nextTurn([], [])).toBeUndefined();
  });

  it('passes over a study that has as many running as it allows', () => {
    const waiting = [...trials('a', 2, 3), ...trials('b', 0)];
    expect(nextTurn(waiting, running('a', 2, 0, 1))).toBe('studies/b/trials/0');
    expect(nextTurn(waiting, running('a', 2, 0))).toBe('studies/a/trials/2');
    expect(nextTurn(trials('a', 2, 3), running('a', 2, 0, 1))).toBeUndefined();
  });

  it('lets a study begin alone until it is known how many it allows', () => {
    const waiting = trials('a', 1, 2);
    expect(nextTurn(waiting, [])).toBe('studies/a/trials/1');
    expect(nextTurn(waiting, running('a', undefined, 0))).toBeUndefined();
    expect(nextTurn(waiting, running('a', Number.POSITIVE_INFINITY, 0))).toBe('studies/a/trials/1');
  });
});
