/** What an optimizer remembers from window to window, so that it says the same when it is asked about the same window again. */

import { GlocalError } from '../error.ts';

/** As it is kept. */
interface Kept<State> {
  /** What it is the state of. */
  readonly optimizer: string;
  /** Outer step of the last window that was answered; 0 before the first. */
  readonly outerStep: number;
  /** The state that this answer was made from. */
  readonly before: State;
  /** The state after it. */
  readonly after: State;
}

export class Memory<State> {
  #kept: Kept<State>;

  /** @param initial plain data, never changed */
  constructor(optimizer: string, initial: State) {
    this.#kept = { optimizer, outerStep: 0, before: initial, after: initial };
  }

  /** The state that an answer about this window is made from. */
  at(outerStep: number): State {
    return outerStep === this.#kept.outerStep ? this.#kept.before : this.#kept.after;
  }

  /** The window has been answered. */
  advance(outerStep: number, after: State): void {
    this.#kept = { ...this.#kept, outerStep, before: this.at(outerStep), after };
  }

  toJSON(): unknown {
    return this.#kept;
  }

  /** @throws GlocalError INVALID_ARGUMENT, reason NOT_RESTORABLE, for the state of something else */
  restore(saved: unknown): void {
    const { optimizer } = this.#kept;
    const { optimizer: other, outerStep, before, after } = Object(saved) as Partial<Kept<State>>;
    if (other !== optimizer || !Number.isInteger(outerStep) || before === undefined || after === undefined) {
      const description = `is not what toJSON() of ${optimizer} gave`;
      throw GlocalError.invalid('NOT_RESTORABLE', [{ field: 'saved', description }]);
    }
    this.#kept = { optimizer, outerStep: outerStep as number, before, after };
  }
}
