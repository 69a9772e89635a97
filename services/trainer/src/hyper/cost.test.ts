import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictCost, type WindowShape } from './cost.ts';

/** The sum as docs/method.md has it, step by step. */
function reverseByDefinition({ window, hypergradients, reverseSteps, stride = 1 }: WindowShape): number {
  let cost = 0;
  for (let step = 1; step <= window; step++) {
    let underWay = 0;
    for (let i = 0; i < hypergradients; i++) {
      const index = window - i * stride;
      if (index >= step && index - reverseSteps < step) underWay += 1;
    }
    if (underWay > 0) cost += 1 + 2 * underWay;
  }
  return cost;
}

/** Windows whose hypergradients are all in them. */
const shapes = fc
  .record({
    first: fc.integer({ min: 1, max: 20 }),
    count: fc.integer({ min: 1, max: 12 }),
    stride: fc.integer({ min: 1, max: 7 }),
    reverseSteps: fc.integer({ min: 1, max: 120 }),
  })
  .map(({ first, count, stride, reverseSteps }) => ({
    q: 3,
    window: first + (count - 1) * stride,
    hypergradients: count,
    stride,
    reverseSteps,
  }));

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

  it('of reverse mode is the sum over the steps of the window', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        expect(predictCost(shape).reverse).toBe(reverseByDefinition(shape));
      }),
    );
  });

  it('of the longest window is known at once', () => {
    const start = performance.now();
    const million = 1_000_000;
    const { reverse } = predictCost({
      q: 3,
      window: million,
      hypergradients: million,
      reverseSteps: million,
    });
    // Each step has the adjoints of itself and of all after it: Σ (1 + 2m), m = 1 … n.
    expect(reverse).toBe(million * (million + 2));
    // Pair by pair it would be hours.
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
