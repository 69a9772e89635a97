import { describe, expect, it } from 'vitest';
import type { Notice } from './notice.ts';
import { Outbox } from './outbox.ts';

const TRIAL = 'studies/a/trials/0';
const changed = (study: string): Notice => ({ kind: 'changed', study });
const progressed = (stepsDone: number, trial = TRIAL): Notice => ({
  kind: 'progressed',
  progress: { trial, stepsDone, steps: 100 },
});
const forgotten: Notice = { kind: 'forgotten', trial: TRIAL };

describe('Outbox', () => {
  it('tells of each topic once, in the order in which they came up', () => {
    const outbox = new Outbox();
    for (const study of ['studies/b', 'studies/a', 'studies/b']) outbox.add(changed(study), 0);
    outbox.add({ kind: 'halted', study: 'studies/b' }, 0);
    expect(outbox.take(0)).toEqual([
      changed('studies/b'),
      changed('studies/a'),
      { kind: 'halted', study: 'studies/b' },
    ]);
    expect(outbox.take(0)).toEqual([]);
    expect(outbox.due).toBeUndefined();
  });

  it('tells of a trial that gets on twice a second, where it is then', () => {
    const outbox = new Outbox();
    const told: [number, Notice[]][] = [];
    for (let now = 0; now <= 1_000; now += 100) {
      outbox.add(progressed(now), now);
      const taken = outbox.take(now);
      if (taken.length > 0) told.push([now, taken]);
    }
    expect(told).toEqual([0, 500, 1_000].map((now) => [now, [progressed(now)]]));
  });

  it('says when it has something to tell', () => {
    const outbox = new Outbox();
    expect(outbox.due).toBeUndefined();
    outbox.add(progressed(1), 0);
    expect(outbox.due).toBe(0);
    outbox.take(3);
    outbox.add(progressed(2), 4);
    expect(outbox.due).toBe(503);
    outbox.add(changed('studies/a'), 5);
    expect(outbox.due).toBe(5);
  });

  it('tells at once that a trial does not run any more, and nothing of what it was at', () => {
    const outbox = new Outbox();
    outbox.add(progressed(1), 0);
    outbox.take(0);
    outbox.add(progressed(2), 1);
    outbox.add(forgotten, 2);
    expect(outbox.take(2)).toEqual([forgotten]);
    outbox.add(progressed(3), 3);
    expect(outbox.take(3)).toEqual([progressed(3)]);
  });

  it('tells again what could not be told, unless there is something later', () => {
    const outbox = new Outbox();
    outbox.add(progressed(1), 0);
    outbox.add(changed('studies/a'), 0);
    const taken = outbox.take(0);
    outbox.add(progressed(2), 1);
    outbox.giveBack(taken, 2);
    expect(outbox.take(501)).toEqual([progressed(2), changed('studies/a')]);
    outbox.giveBack([progressed(2)], 502);
    expect(outbox.take(502)).toEqual([progressed(2)]);
  });

  it('tells that everything has changed in place of more than it can hold', () => {
    const outbox = new Outbox();
    for (let i = 0; i <= 10_000; i++) outbox.add(changed(`studies/${i}`), 0);
    expect(outbox.take(0)).toEqual([{ kind: 'everything' }]);
  });
});
