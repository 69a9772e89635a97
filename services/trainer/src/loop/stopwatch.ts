/** Adds up where the time of an outer step went. */

import type { Timing } from '@glocal/proto/glocal/v1/study';

type Part = 'training' | 'hypergradients' | 'dmd' | 'decision';

export class Stopwatch {
  readonly #start = performance.now();
  readonly #ms = { training: 0, hypergradients: 0, dmd: 0, decision: 0 };

  /** Runs `work` and books its time. */
  run<T>(part: Part, work: () => T): T {
    const start = performance.now();
    try {
      return work();
    } finally {
      this.#ms[part] += performance.now() - start;
    }
  }

  /** Awaits `work` and books the time until it settles. */
  async runAsync<T>(part: Part, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#ms[part] += performance.now() - start;
    }
  }

  /** The parts so far; what was not booked counts as `other`. */
  read(): Timing {
    const { training, hypergradients, dmd, decision } = this.#ms;
    const other = performance.now() - this.#start - training - hypergradients - dmd - decision;
    return {
      training: duration(training),
      hypergradients: duration(hypergradients),
      dmd: duration(dmd),
      decision: duration(decision),
      other: duration(other),
      checkpoint: undefined,
    };
  }
}

/** @param ms milliseconds. */
export function duration(ms: number): { seconds: bigint; nanos: number } {
  const nanos = BigInt(Math.max(0, Math.round(ms * 1e6)));
  return { seconds: nanos / 1_000_000_000n, nanos: Number(nanos % 1_000_000_000n) };
}
