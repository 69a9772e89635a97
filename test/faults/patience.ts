/** Calls while the server comes and goes. */

import { setTimeout as sleep } from 'node:timers/promises';
import { GlocalError } from '@glocal/sdk';

const WITHIN_MS = 120_000;

/** Makes the call again while nobody answers. @throws GlocalError after two minutes, and every other error at once. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const passing = error instanceof GlocalError && error.code === 'UNAVAILABLE';
      if (!passing || performance.now() > until) throw error;
      await sleep(200);
    }
  }
}
