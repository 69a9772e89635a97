/** What a client may decide with: something that says where the hyperparameters go after each window. */

import type { DrivenWindow } from '../driven-window.ts';
import type { ParameterMap } from '../space.ts';
import type { NewValues } from '../space-values.ts';

/**
 * Says where the hyperparameters of a driven trial go: `await window.set(optimizer.next(window))`. One of your own needs no
 * more than `next`, for instance `{ next: (window) => window.valuesAt(window.pointOf().map((phi) => phi - 0.1)) }`.
 */
export interface WindowOptimizer<P extends ParameterMap = ParameterMap> {
  /** Asked again about the same window, as after a crash, it is to say the same. */
  next(window: DrivenWindow<P>): NewValues<P>;
  /** What another one needs to go on, as plain data: what JSON.stringify writes. Left out where there is nothing to keep. */
  toJSON?(): unknown;
  /** Goes on from what `toJSON` gave. */
  restore?(saved: unknown): void;
}

/** An optimizer for any space, whose state can be kept: `adam()`, `sgd()`, `rmsProp()`, and `trustRegion()` of one of them. */
export interface SavableOptimizer {
  /**
   * Where the values go. Keep the optimizer after this call and before `set`: a program that was started again is then asked
   * about the same window and says the same, or about the one after it.
   * @throws GlocalError FAILED_PRECONDITION, reason GIVES_UP, when training has diverged and no move is left to take back:
   *   `accept()` ends the trial
   */
  next<P extends ParameterMap>(window: DrivenWindow<P>): NewValues<P>;
  /** Its state as plain data: what JSON.stringify writes. */
  toJSON(): unknown;
  /**
   * Goes on from what `toJSON` gave.
   * @throws GlocalError INVALID_ARGUMENT, reason NOT_RESTORABLE, when that is not the state of such an optimizer
   */
  restore(saved: unknown): void;
}
