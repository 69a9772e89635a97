/** Which processes of a fleet are killed, and when: all of it follows from a seed. */

import { Random } from '../faults/random.ts';

export interface Kill {
  /** Which process, from 0. */
  readonly victim: number;
  /** When that share of all outer steps is stored. */
  readonly at: number;
  /** Milliseconds from then. */
  readonly delayMs: number;
  /** Milliseconds for which it is gone. */
  readonly goneMs: number;
}

/** Some work is done before the first, and some is left after the last. */
const MOMENTS = [0.05, 0.75] as const;
const DELAY_MS = 500;
const GONE_MS = [200, 3_000] as const;

/** In the order in which they are made. @param rate share of the processes that are killed, once each. */
export function planKills(processes: number, rate: number, seed: number): Kill[] {
  const random = new Random(seed);
  const left = Array.from({ length: processes }, (_, i) => i);
  const kills = Array.from({ length: Math.round(rate * processes) }, () => {
    const victim = random.oneOf(left);
    left.splice(left.indexOf(victim), 1);
    return {
      victim,
      at: random.between(...MOMENTS),
      delayMs: random.between(0, DELAY_MS),
      goneMs: random.between(...GONE_MS),
    };
  });
  return kills.sort((one, other) => one.at - other.at);
}
