/** After which inner steps of an external trial a hypergradient is needed. */

import type { CompleteStudySpec } from './spec.ts';

export class ExternalWindows {
  /** Inner steps of a window. */
  readonly length: number;
  /** Hypergradients of a window. */
  readonly rows: number;
  readonly #stride: number;

  constructor({ window, sigma, stride, estimator }: CompleteStudySpec['method']) {
    this.length = window;
    this.rows = estimator === 'local' ? 1 : sigma;
    this.#stride = stride;
  }

  /** Whether there is one after a step, counted from the start of its window: the last step has one, and every stride-th before. */
  needs(step: number): boolean {
    const before = this.length - 1 - step;
    return before % this.#stride === 0 && before / this.#stride < this.rows;
  }

  /** Steps of a window that are done where so many of its rows are stored, but for those that need none. */
  stepsUntil(rows: number): number {
    return rows === 0 ? 0 : this.length - (this.rows - rows) * this.#stride;
  }
}
