import { expect, it } from 'vitest';
import { ObjectStoreError } from './errors.ts';
import { untilThere } from './until-there.ts';

const away = new ObjectStoreError('away', 'it is away');

it('what is away is asked again until it answers', async () => {
  let asked = 0;
  const ask = async () => {
    asked += 1;
    if (asked < 3) throw away;
    return 'answer';
  };
  expect(await untilThere(ask, new AbortController().signal)).toBe('answer');
  expect(asked).toBe(3);
});

it('what refuses is asked once', async () => {
  const refused = new ObjectStoreError('refused', 'not you');
  let asked = 0;
  const ask = () => {
    asked += 1;
    return Promise.reject(refused);
  };
  await expect(untilThere(ask, new AbortController().signal)).rejects.toBe(refused);
  expect(asked).toBe(1);
});

it('what is away is not asked for whom nobody waits any more', async () => {
  const stop = new AbortController();
  let asked = 0;
  const ask = () => {
    asked += 1;
    stop.abort();
    return Promise.reject(away);
  };
  await expect(untilThere(ask, stop.signal)).rejects.toBe(away);
  expect(asked).toBe(1);
});
