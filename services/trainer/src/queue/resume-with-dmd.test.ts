import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { resumeWithDmd } from './resume-with-dmd.ts';

let stop = () => {};
afterEach(() => {
  stop();
  vi.useRealTimers();
});

/** A queue whose trials wait for a DMD service. */
function waiting(reachable: boolean) {
  let paused = ['studies/a/trials/0', 'studies/a/trials/1'];
  const resumed: string[] = [];
  let listener = () => {};
  const dmd = {
    status: { reachable, version: '', reason: '' },
    onChange: (listen: () => void) => {
      listener = listen;
      return () => {};
    },
  };
  stop = resumeWithDmd({
    dmd,
    log: pino({ level: 'silent' }),
    store: { listPausedTrials: async () => paused },
    queue: {
      resumeTrial: async (name, cause, by) => {
        resumed.push(`${name} ${cause} ${by}`);
        paused = paused.filter((trial) => trial !== name);
        return true;
      },
    },
  });
  return {
    resumed,
    becomes: (now: boolean) => {
      dmd.status.reachable = now;
      listener();
    },
    pause: (name: string) => paused.push(name),
  };
}

const BOTH = ['studies/a/trials/0 dmd server', 'studies/a/trials/1 dmd server'];

describe('trials that are PAUSED for the DMD service', () => {
  it('go on at once when it answers, as those of an earlier server', async () => {
    const { resumed } = waiting(true);
    await vi.waitFor(() => expect(resumed).toEqual(BOTH));
  });

  it('wait until it answers', async () => {
    const { resumed, becomes } = waiting(false);
    becomes(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(resumed).toEqual([]);
    becomes(true);
    await vi.waitFor(() => expect(resumed).toEqual(BOTH));
  });

  it('try again after a while when it has answered all along', async () => {
    vi.useFakeTimers();
    const { resumed, pause } = waiting(true);
    await vi.advanceTimersByTimeAsync(1_000);
    pause('studies/b/trials/0');
    await vi.advanceTimersByTimeAsync(31_000);
    expect(resumed).toEqual([...BOTH, 'studies/b/trials/0 dmd server']);
  });
});
