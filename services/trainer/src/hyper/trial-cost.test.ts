import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CostlyWindow, trialCost, windowCost } from './trial-cost.ts';

const shapes: fc.Arbitrary<CostlyWindow> = fc
  .record({
    q: fc.integer({ min: 1, max: 400 }),
    rows: fc.integer({ min: 1, max: 20 }),
    stride: fc.integer({ min: 1, max: 4 }),
    model: fc.constantFrom('lenet', 'mlp', 'wide-resnet-16-2', 'own', ''),
    isReverse: fc.boolean(),
    batchSize: fc.integer({ min: 2, max: 1_000 }),
    validationExamples: fc.integer({ min: 1, max: 10_000 }),
  })
  .map(({ rows, batchSize, ...shape }) => ({
    ...shape,
    batchSize,
    window: rows * shape.stride + 10,
    hypergradients: rows,
    reverseSteps: 10,
    tangentExamples: batchSize,
  }));

describe('the predicted cost of a window', () => {
  it('falls with the examples of second derivatives, of validation gradients, and with fewer of these', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const cost = windowCost(shape);
        expect(cost).toBeGreaterThan(0);
        const { tangentExamples, validationExamples, hypergradients } = shape;
        // Cutting the batch is a pass more, which may cost more than it saves.
        const half = windowCost({ ...shape, tangentExamples: tangentExamples / 2 });
        expect(windowCost({ ...shape, tangentExamples: tangentExamples / 4 })).toBeLessThan(half);
        expect(windowCost({ ...shape, validationExamples: validationExamples / 2 })).toBeLessThan(cost);
        if (hypergradients === 1) return;
        expect(windowCost({ ...shape, hypergradients: hypergradients - 1 })).toBeLessThan(cost);
      }),
    );
  });

  /** Measured on LeNet, in plain steps (docs/method.md, section 12.3). */
  it.each([
    ['three tangents on the whole batch', { q: 3, hypergradients: 1, validationExamples: 1 }, 2.86],
    ['sixteen tangents', { q: 16, hypergradients: 1, validationExamples: 1 }, 12],
    ['validation gradients on 1,000 examples', { q: 0, hypergradients: 50, validationExamples: 1_000 }, 4.0],
  ])('is near to what LeNet took a step for %s', (_, shape, measured) => {
    const lenet = { model: 'lenet', isReverse: false, batchSize: 128, tangentExamples: 128 };
    const cost = windowCost({ ...lenet, window: 50, reverseSteps: 50, ...shape }) / 50;
    const isOfPasses = shape.q === 0 ? 160 / 288 : 0;
    expect(Math.abs(cost - isOfPasses - measured) / measured).toBeLessThan(0.3);
  });

  it('is nothing without hypergradients', () => {
    fc.assert(fc.property(shapes, (shape) => windowCost({ ...shape, hypergradients: 0 }) === 0));
  });
});

describe('the predicted cost of a trial', () => {
  it('is that of its windows over its steps, beside the steps themselves', () => {
    expect(trialCost(4_000, 1_600)).toBeCloseTo(1.4, 12);
    expect(trialCost(4_000, 0)).toBe(1);
  });
});
