/** What hypergradients cost by each way of differentiation, predicted (docs/method.md, section 4). */

/** What a window asks for. */
export interface WindowShape {
  /** Number of learned components. */
  readonly q: number;
  /** Inner steps of the window, τ. */
  readonly window: number;
  /** Hypergradients that are taken, n_h: after the last step, and before it at every `stride`-th. */
  readonly hypergradients: number;
  /** How many steps reverse mode goes back, k. */
  readonly reverseSteps: number;
  /** Steps between two hypergradients. @default 1 */
  readonly stride?: number;
}

/**
 * Cost of a window's hypergradients beyond training and beyond the validation gradients, which both ways take alike, in
 * gradients of the training loss. Forward: 2q a step. Reverse: 1 + 2m at each step with m > 0 adjoints under way, which is
 * 2 n_h k + (n_h − 1) stride + k when each goes back k steps, stride ≤ k and the window is long enough.
 */
export function predictCost(shape: WindowShape): { readonly forward: number; readonly reverse: number } {
  const { q, window, hypergradients, reverseSteps, stride = 1 } = shape;
  const asked = Array.from({ length: hypergradients }, (_, i) => window - i * stride);
  let reverse = 0;
  for (let step = 1; step <= window; step++) {
    const underWay = asked.filter((index) => index >= step && index - reverseSteps < step).length;
    if (underWay > 0) reverse += 1 + 2 * underWay;
  }
  return { forward: 2 * q * window, reverse };
}
