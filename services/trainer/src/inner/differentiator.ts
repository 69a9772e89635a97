/** What the two ways of differentiation have in common. */

import type { SensitivitySnapshot } from './forward.ts';
import type { Rows } from './optimizer.ts';
import type { Step, Stepped } from './step.ts';
import type { WindowSnapshot } from './trajectory.ts';

/** What was accumulated since the window began, on the host. */
export type DerivativeSnapshot = SensitivitySnapshot | WindowSnapshot;

/** Makes the steps of a training run, and keeps what hypergradients are made of. */
export interface Differentiator {
  /**
   * Hyperparameters have moved: sensitivities shrink to this share, 0 to 1, and no hypergradient is pending any more.
   * @throws InnerTrainingError when there are none to shrink.
   */
  startWindow(discount: number): void;
  /** Runs in the caller's scope. */
  step(step: Step): Stepped;
  /**
   * @param gradient computes ∇ℓ~ at the evaluation point, `[1, p]`.
   * @returns the hypergradient, or undefined when the window's end brings it.
   */
  hypergradient(gradient: () => Rows): Float64Array | undefined;
  /** Those that the window's end brings, oldest first. */
  endWindow(): Float64Array[];
  /** What a resume needs; null when nothing was accumulated. */
  snapshot(): DerivativeSnapshot | null;
  /** @throws InnerTrainingError when the snapshot is of another way, or of other shapes; nothing has changed then. */
  restore(snapshot: DerivativeSnapshot | null): void;
  dispose(): void;
}
