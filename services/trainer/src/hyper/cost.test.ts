import { describe, expect, it } from 'vitest';
import { predictCost } from './cost.ts';

describe('predicted cost', () => {
  it('of forward mode is 2q gradients a step', () => {
    expect(predictCost({ q: 385, window: 50, hypergradients: 20, reverseSteps: 10 }).forward).toBe(38_500);
  });

  it.each([
    // One adjoint: 1 + 2 at each of its steps.
    [{ hypergradients: 1, reverseSteps: 10 }, 30],
    [{ hypergradients: 1, reverseSteps: 1 }, 3],
    // 2 · 20 · 10 + 19 + 10
    [{ hypergradients: 20, reverseSteps: 10 }, 429],
    // No step before the window's first: adjoints of steps 31 … 50 go back 31 … 50 steps.
    [{ hypergradients: 20, reverseSteps: 1000 }, 50 + 2 * 810],
    // Every third of the last 20: 2 · 7 · 10 + 6 · 3 + 10
    [{ hypergradients: 7, reverseSteps: 10, stride: 3 }, 168],
    // Gaps between them cost nothing: 2 · 7 · 2 + 7 · 2
    [{ hypergradients: 7, reverseSteps: 2, stride: 3 }, 42],
  ])('of reverse mode %j is %d', (shape, expected) => {
    expect(predictCost({ q: 3, window: 50, ...shape }).reverse).toBe(expected);
  });
});
