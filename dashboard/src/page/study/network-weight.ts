/** The network that weights examples, as the curve that it is. */

/**
 * σ(k₂ · relu(k₁ l + b₁) + b₂) of Meta-Weight-Net (Shu et al., 2019), as the trainer has it.
 * @param weights k₁, b₁, k₂ with an entry for each hidden unit, then b₂
 * @param loss of an example, in nats
 */
export function exampleWeight(weights: readonly (number | null)[], loss: number): number {
  const hidden = (weights.length - 1) / 3;
  const at = (i: number): number => weights[i] ?? 0;
  let sum = at(3 * hidden);
  for (let i = 0; i < hidden; i++) sum += at(2 * hidden + i) * Math.max(0, at(i) * loss + at(hidden + i));
  return 1 / (1 + Math.exp(-sum));
}
