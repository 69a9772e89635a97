/** Adds up where the time of an outer step went. */

import type { Timing } from '@glocal/proto/glocal/v1/study';
import { duration } from '../resource/duration.ts';

/** `plain`: a plain inner step of the training; `timed`: one that is only made to be timed. */
type Part = 'training' | 'plain' | 'timed' | 'hypergradients' | 'dmd' | 'decision';

export class Stopwatch {
  readonly #start = performance.now();
  readonly #ms = { training: 0, plain: 0, timed: 0, hypergradients: 0, dmd: 0, decision: 0 };
  #plainSteps = 0;

  /** Runs `work` and books its time. */
  run<T>(part: Part, work: () => T): T {
    const start = performance.now();
    if (part === 'plain' || part === 'timed') this.#plainSteps += 1;
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

  /** The parts so far; what was not booked, or only to be timed, counts as `other`. */
  read(): Timing {
    const { plain, timed, hypergradients, dmd, decision } = this.#ms;
    const training = this.#ms.training + plain;
    const other = performance.now() - this.#start - training - hypergradients - dmd - decision;
    return {
      training: duration(training),
      hypergradients: duration(hypergradients),
      dmd: duration(dmd),
      decision: duration(decision),
      other: duration(other),
      checkpoint: undefined,
      plain: duration(plain + timed),
      plainSteps: this.#plainSteps,
    };
  }
}
