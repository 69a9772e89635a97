import { expect, it } from 'vitest';
import { valueLines } from './window.ts';

it('every value is told of, with those of vectors by the names of their components', () => {
  const values = { lr: [0.05, 0.05], optimizer: 'sgd', batchSize: 64, momentum: 0.1, weights: [1, 2] };
  const nextValues = { ...values, lr: [0.05, 0.021], momentum: 0.2 };
  const window = { components: ['lr/kernel', 'lr/bias', 'momentum'] } as unknown as Parameters<
    typeof valueLines
  >[0]['window'];
  expect(valueLines({ values, nextValues, window })).toEqual([
    ['lr/kernel', '0.0500'],
    ['lr/bias', '0.0500 → 0.0210'],
    ['optimizer', 'sgd'],
    ['batchSize', '64'],
    ['momentum', '0.100 → 0.200'],
    ['weights/0', '1'],
    ['weights/1', '2'],
  ]);
});

it('a long vector is told of in one line', () => {
  const weights = Array.from({ length: 30 }, (_, i) => 1 + i / 100);
  const nextValues = { weights: weights.map((weight) => 2 * weight) };
  expect(valueLines({ values: { weights }, nextValues, window: undefined })).toEqual([
    ['weights', '1.00…1.29 → 2.00…2.58'],
  ]);
});
