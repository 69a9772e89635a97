import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { ApiError } from './errors.ts';
import { unlessIdle } from './idle.ts';

async function* after(...pauses: number[]) {
  for (const pause of pauses) {
    await sleep(pause, undefined, { ref: false });
    yield pause;
  }
}

describe('requests', () => {
  it('come through while their sender does not pause for long, however long all of them take', async () => {
    // Each pause is a tenth of the limit, and all of them together are more than it.
    const pauses = Array.from({ length: 12 }, () => 50);
    expect(await Array.fromAsync(unlessIdle(after(...pauses), 0.5, 'the upload'))).toEqual(pauses);
  });

  it('do not count the time that is taken to work on one', async () => {
    const seen: number[] = [];
    for await (const request of unlessIdle(after(0, 0), 0.2, 'the upload')) {
      seen.push(request);
      await sleep(300);
    }
    expect(seen).toEqual([0, 0]);
  });

  it('end with DEADLINE_EXCEEDED when the next one does not come', async () => {
    const silent = unlessIdle(after(0, 60_000), 0.1, 'the upload');
    expect(await silent.next()).toEqual({ value: 0, done: false });
    const error = await silent.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: 'IDLE',
      message: 'nothing came of the upload for 0.1 s, as long as this server waits; begin again',
    });
  });
});
