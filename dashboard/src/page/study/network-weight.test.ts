import { expect, it } from 'vitest';
import { exampleWeight } from './network-weight.ts';

it('is a sigmoid of the sum over hidden units', () => {
  // Two units: relu(2 l − 1) and relu(−l + 3), weighted 0.5 and −1, with bias 0.25.
  const weights = [2, -1, -1, 3, 0.5, -1, 0.25];
  const expected = (loss: number) =>
    1 / (1 + Math.exp(-(0.5 * Math.max(0, 2 * loss - 1) - Math.max(0, 3 - loss) + 0.25)));
  for (const loss of [0, 0.4, 2, 5]) expect(exampleWeight(weights, loss)).toBeCloseTo(expected(loss), 12);
});
