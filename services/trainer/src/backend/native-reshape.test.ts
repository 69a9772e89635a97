import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { isNativeInstalled } from './native-runtime.ts';
import { initBackend } from './select.ts';

describe.skipIf(!isNativeInstalled())('reshaping on the native runtime', () => {
  beforeAll(() => initBackend({ backend: 'tensorflow', log: () => {} }));

  it.each(['float32', 'int32', 'bool'] as const)('keeps the values of %s, in any shape', (dtype) => {
    tf.tidy(() => {
      const x = tf.tensor([1, 0, 1, 1, 0, 0], [2, 3], dtype);
      for (const shape of [[6], [3, 2], [2, 3], [1, 6, 1, 1], [3, 1, 2]]) {
        const y = tf.reshape(x, shape);
        expect([y.shape, y.dtype, [...y.dataSync()]]).toEqual([shape, dtype, [1, 0, 1, 1, 0, 0]]);
        expect(tf.sum(y.toFloat()).dataSync()[0]).toBe(3);
      }
    });
  });

  it('knows scalars and tensors of no element', () => {
    tf.tidy(() => {
      expect(tf.reshape(tf.tensor1d([7]), []).arraySync()).toBe(7);
      expect(tf.reshape(tf.scalar(7), [1, 1]).arraySync()).toEqual([[7]]);
      expect(tf.reshape(tf.zeros([0, 3]), [3, 0]).shape).toEqual([3, 0]);
    });
  });

  it.each([
    ['the same shape', [2, 2]],
    ['another shape', [4]],
  ])('gives a tensor of %s that outlives the one it was made of, and leaves nothing behind', (_, shape) => {
    const before = tf.memory();
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const y = tf.reshape(x, shape);
    x.dispose();
    expect([...y.dataSync()]).toEqual([1, 2, 3, 4]);
    y.dispose();
    expect(tf.memory()).toMatchObject({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
    });
  });

  it('works with more shapes than are kept', () => {
    tf.tidy(() => {
      for (let n = 1; n <= 1_100; n++) expect(tf.reshape(tf.zeros([n, 2]), [2 * n]).size).toBe(2 * n);
      expect(tf.reshape(tf.tensor2d([1, 2], [1, 2]), [2]).arraySync()).toEqual([1, 2]);
    });
  });
});
