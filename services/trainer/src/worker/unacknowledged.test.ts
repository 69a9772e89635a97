import { describe, expect, it } from 'vitest';
import { Unacknowledged } from './unacknowledged.ts';

/** Whether the promise is settled once everything that can happen now has happened. */
const settled = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<boolean>((r) => setImmediate(() => r(false)))]);

describe('what is not acknowledged', () => {
  it('may be as many as the limit says, and one more waits until the oldest is acknowledged', async () => {
    const unacknowledged = new Unacknowledged({ maxCount: 2, maxBytes: 100 });
    await unacknowledged.sent(1);
    await unacknowledged.sent(1);
    const third = unacknowledged.sent(1);
    expect(await settled(third)).toBe(false);
    unacknowledged.acknowledged();
    await third;
  });

  it('may be as many bytes as the limit says', async () => {
    const unacknowledged = new Unacknowledged({ maxCount: 10, maxBytes: 100 });
    await unacknowledged.sent(60);
    const second = unacknowledged.sent(50);
    expect(await settled(second)).toBe(false);
    unacknowledged.acknowledged();
    await second;
  });

  it('may be larger than the limit when it is alone', async () => {
    const unacknowledged = new Unacknowledged({ maxCount: 1, maxBytes: 100 });
    await unacknowledged.sent(1_000);
  });
});
