/** A store that takes its time, for tests: whatever depends on how fast it answers fails sooner. */

import { setTimeout as sleep } from 'node:timers/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Store } from './store.ts';

/**
 * Each call waits at random before it is made and after it was answered.
 * @param seed of the delays.
 * @param maxMs the longest of them.
 */
export function delayed(store: Store, seed: number, maxMs = 20): Store {
  const random = xoroshiro128plus(seed);
  const pause = () => sleep(uniformInt(random, 0, maxMs));
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        await pause();
        try {
          return await member.apply(target, args);
        } finally {
          await pause();
        }
      };
    },
  });
}
