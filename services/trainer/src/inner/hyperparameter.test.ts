import { describe, expect, it } from 'vitest';
import { layerNames, layersOf } from './hyperparameter.ts';

const model = (...parameters: [name: string, ...shape: number[]][]) => ({
  parameters: parameters.map(([name, ...shape]) => ({ name, shape })),
});

describe('layers', () => {
  it('are neighbours with the same name before the last slash', () => {
    const nested = model(
      ['block/conv/kernel', 3, 3],
      ['block/conv/bias', 3],
      ['block/norm/scale', 3],
      ['dense/kernel', 2, 5],
    );
    expect(layersOf(nested)).toEqual([
      { name: 'block/conv', parameters: 2, size: 12 },
      { name: 'block/norm', parameters: 1, size: 3 },
      { name: 'dense', parameters: 1, size: 10 },
    ]);
    expect(layerNames(nested)).toEqual(['block/conv', 'block/norm', 'dense']);
  });

  it('are single weights where names have no slash', () => {
    expect(layerNames(model(['kernel', 2], ['bias', 2]))).toEqual(['kernel', 'bias']);
  });
});
