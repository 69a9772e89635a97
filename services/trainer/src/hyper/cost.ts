/** What hypergradients cost by each way of differentiation, predicted (docs/method.md, section 4). */

/** What a window asks for. */
export interface WindowShape {
  /** Number of learned components. */
  readonly q: number;
  /** Inner steps of the window, τ. */
  readonly window: number;
  /** Hypergradients that are taken, n_h: after the last step, and before it at every `stride`-th, all of them in the window. */
  readonly hypergradients: number;
  /** How many steps reverse mode goes back, k. */
  readonly reverseSteps: number;
  /** Steps between two hypergradients. @default 1 */
  readonly stride?: number;
  /** Share of each mini-batch that second derivatives are taken on. @default 1 */
  readonly share?: number;
}

/**
 * Cost of a window's hypergradients beyond training and beyond the validation gradients, which both ways take alike, in
 * gradients of the training loss. Forward: 2q a step. Reverse: 1 + 2m at each step with m > 0 adjoints under way, which is
 * 2 n_h k + (n_h − 1) stride + k when each goes back k steps, stride ≤ k and the window is long enough. Both are of the part of
 * a mini-batch that second derivatives are taken on.
 */
export function predictCost(shape: WindowShape): { readonly forward: number; readonly reverse: number } {
  const { q, window, hypergradients: count, reverseSteps, stride = 1, share = 1 } = shape;
  // Hypergradient i = 0 … count − 1 is taken after step window − i·stride, and goes back that many steps at most.
  const full = Math.min(count, Math.max(0, Math.floor((window - reverseSteps) / stride) + 1));
  const sumOfIndices = (count * (count - 1) - full * (full - 1)) / 2;
  const stepsBack = full * reverseSteps + (count - full) * window - stride * sumOfIndices;
  const first = window - (count - 1) * stride;
  const stepsUnderWay = (count - 1) * Math.min(reverseSteps, stride) + Math.min(reverseSteps, first);
  const reverse = count === 0 ? 0 : stepsUnderWay + 2 * stepsBack;
  return { forward: 2 * q * window * share, reverse: reverse * share };
}
