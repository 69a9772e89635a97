import { Differentiation, Estimator, Method } from '@glocal/proto/glocal/v1/study';
import { describe, expect, it } from 'vitest';
import { chooseDifferentiation } from './differentiation.ts';

const choose = (q: number, method: Partial<Method> = {}) =>
  chooseDifferentiation(
    {
      method: Method.create({
        estimator: Estimator.GLOCAL,
        window: 50,
        sigma: 20,
        stride: 1,
        reverseSteps: 50,
        differentiation: Differentiation.AUTO,
        ...method,
      }),
      problem: { batchSize: 128 },
    },
    q,
  );

describe('chooseDifferentiation', () => {
  it('goes forward for a few hyperparameters, and in reverse for many', () => {
    expect(choose(3)).toMatchObject({ used: Differentiation.FORWARD, forwardGradients: 300 });
    expect(choose(385)).toMatchObject({ used: Differentiation.REVERSE, forwardGradients: 38_500 });
  });

  it('goes forward unless reverse costs less than half', () => {
    // One hypergradient through 50 steps: three gradients each.
    const local = { estimator: Estimator.LOCAL };
    expect(choose(3, local)).toEqual({
      used: Differentiation.FORWARD,
      forwardGradients: 300,
      reverseGradients: 150,
    });
    expect(choose(4, local)).toMatchObject({ used: Differentiation.REVERSE });
  });

  it('does as the study says', () => {
    expect(choose(385, { differentiation: Differentiation.FORWARD })).toMatchObject({
      used: Differentiation.FORWARD,
    });
    expect(choose(3, { differentiation: Differentiation.REVERSE, reverseSteps: 10 })).toMatchObject({
      used: Differentiation.REVERSE,
    });
  });

  it('goes forward where the sensitivity is carried on or a whole training counts', () => {
    expect(choose(385, { sensitivityDiscount: 0.5 })).toMatchObject({ used: Differentiation.FORWARD });
    expect(choose(385, { estimator: Estimator.GLOBAL })).toMatchObject({ used: Differentiation.FORWARD });
  });

  it('costs as much less as there are fewer examples with second derivatives, and is chosen as before', () => {
    expect(choose(3, { tangentExamples: 32 })).toMatchObject({
      used: Differentiation.FORWARD,
      forwardGradients: 75,
    });
    expect(choose(385, { tangentExamples: 32 })?.used).toBe(choose(385)?.used);
    expect(choose(3, { tangentExamples: 0 })).toMatchObject({ forwardGradients: 0, reverseGradients: 0 });
  });

  it('is not needed when nothing is learned', () => {
    expect(choose(3, { estimator: Estimator.FIXED })).toBeUndefined();
  });
});
