import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { CASES } from './all.cases.ts';
import { kernelTable, neededKernels, passes } from './coverage.ts';
import { RULES } from './table.ts';

describe('every kernel', () => {
  it('with a gradient, or that a gradient calls, has a rule and calls to test it on', async () => {
    const needed = (await neededKernels()).map(({ kernel }) => kernel);
    expect(needed.length).toBeGreaterThan(85);
    expect(needed).toContain('MaxPoolGrad');
    expect(needed.filter((kernel) => !(kernel in RULES && kernel in CASES))).toEqual([]);
  });
});

describe('passes', () => {
  it('is false where the kernel is not what its rule says', async () => {
    await tf.setBackend('cpu');
    expect(passes('Square', 5)).toBe(true);
    expect(passes('Unheard', 5)).toBe(false);
    const stock = tf.getKernel('Square', 'cpu');
    tf.unregisterKernel('Square', 'cpu');
    tf.registerKernel({ ...stock, kernelFunc: tf.getKernel('Abs', 'cpu').kernelFunc });
    try {
      expect(passes('Square', 5)).toBe(false);
    } finally {
      tf.unregisterKernel('Square', 'cpu');
      tf.registerKernel(stock);
    }
  });
});

it('docs/kernels.md is up to date', async () => {
  const file = readFileSync(new URL('../../../../../docs/kernels.md', import.meta.url), 'utf8');
  expect(file, 'node services/trainer/src/ad/rules/write-table.ts makes it anew').toBe(await kernelTable());
});
