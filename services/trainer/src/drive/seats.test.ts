import { describe, expect, it } from 'vitest';
import { JoinedNotices } from '../notices/testing.ts';
import { BusyError } from '../resource/errors.ts';
import { Seats } from './seats.ts';

describe('seats', () => {
  it('belong to the latest who takes them, and the one before is told', () => {
    const seats = new Seats(1);
    const first = seats.take('a', '');
    const second = seats.take('a', '');
    expect([first.lost.aborted, second.lost.aborted]).toEqual([true, false]);
    // Who was told leaves later, and takes nothing along.
    first[Symbol.dispose]();
    expect(() => seats.take('b', '')).toThrow(BusyError);
    second[Symbol.dispose]();
    seats.take('b', '');
  });

  it('are as many as there may be, and none is needed to take over', () => {
    const seats = new Seats(2);
    seats.take('a', '');
    const b = seats.take('b', '');
    expect(() => seats.take('c', '')).toThrow(
      '2 clients drive trials or report hypergradients, as many as this server allows',
    );
    seats.take('a', '');
    b[Symbol.dispose]();
    seats.take('c', '');
  });

  it('are at most half for the trials of one owner', () => {
    const seats = new Seats(4);
    seats.take('a', 'ann');
    const b = seats.take('b', 'ann');
    expect(() => seats.take('c', 'ann')).toThrow(expect.objectContaining({ reason: 'OWNER_DRIVERS' }));
    // Neither does who takes over need another, nor does who was taken over give it back.
    seats.take('b', 'ann');
    b[Symbol.dispose]();
    expect(() => seats.take('c', 'ann')).toThrow(BusyError);
    seats.take('d', 'bob');
  });

  it('go to who comes later at another server, whatever comes first: the client or what is told of it', () => {
    const [here, there] = JoinedNotices.pair();
    const [one, other] = [new Seats(1, here), new Seats(1, there)];
    const first = one.take('a', '');
    first.number(1);
    const second = other.take('a', '');
    expect(first.lost.aborted).toBe(false);
    second.number(2);
    expect([first.lost.aborted, second.lost.aborted]).toEqual([true, false]);
    first[Symbol.dispose]();
    // It has been numbered before the third one, and hears so after that.
    const fourth = one.take('a', '');
    const third = other.take('a', '');
    fourth.number(4);
    expect(third.lost.aborted).toBe(false);
    third.number(3);
    expect([third.lost.aborted, fourth.lost.aborted]).toEqual([true, false]);
  });
});
