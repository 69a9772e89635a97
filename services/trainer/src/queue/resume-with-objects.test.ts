import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ObjectStoreError } from '../objects/errors.ts';
import { resumeWithObjects } from './resume-with-objects.ts';

let stop = () => {};
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  stop();
  vi.useRealTimers();
});

/** Trials that wait for a store of objects. */
function waiting(paused: string[]) {
  const resumed: string[] = [];
  const check = vi.fn(async () => {});
  stop = resumeWithObjects({
    log: pino({ level: 'silent' }),
    store: { listPausedTrials: async (cause) => (cause === 'machine' ? [...paused] : []) },
    objects: { check },
    queue: {
      resumeTrial: async (name, cause, by) => {
        resumed.push(`${name} ${cause} ${by}`);
        paused.splice(paused.indexOf(name), 1);
        return true;
      },
    },
  });
  return { resumed, check };
}

describe('trials that wait for a store of objects', () => {
  it('go on when it can be read', async () => {
    const { resumed, check } = waiting(['studies/a/trials/0', 'studies/a/trials/1']);
    check.mockRejectedValueOnce(new ObjectStoreError('away', 'it is away'));
    await vi.advanceTimersByTimeAsync(0);
    expect(resumed).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(resumed).toEqual(['studies/a/trials/0 machine server', 'studies/a/trials/1 machine server']);
  });

  it('are looked for, and where there are none the store of objects is left alone', async () => {
    const paused: string[] = [];
    const { resumed, check } = waiting(paused);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(check).not.toHaveBeenCalled();
    paused.push('studies/a/trials/0');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(resumed).toEqual(['studies/a/trials/0 machine server']);
  });
});
