import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { isNativeInstalled } from './native-runtime.ts';
import { chooseBackend, initBackend } from './select.ts';

describe('initBackend', () => {
  it('says what it chose, the same before and after loading', async () => {
    const lines: string[] = [];
    const info = await initBackend({ log: (line) => lines.push(line) });
    expect(info).toEqual(chooseBackend());
    expect(tf.getBackend()).toBe(info.name);
    expect(info.name).toBe(isNativeInstalled() ? 'tensorflow' : 'wasm');
    expect(lines).toHaveLength(isNativeInstalled() ? 0 : 1);
  });

  it.skipIf(!isNativeInstalled())('keeps int32 tensors as they are when rounding on native', async () => {
    await initBackend({ backend: 'tensorflow', log: () => {} });
    expect([...tf.round(tf.tensor1d([3, -4, 0], 'int32')).dataSync()]).toEqual([3, -4, 0]);
    expect([...tf.round(tf.tensor1d([1.4, -2.6])).dataSync()]).toEqual([1, -3]);
  });

  it.skipIf(!isNativeInstalled())('differentiates on native as on cpu', async () => {
    const x = Float32Array.from({ length: 2 * 6 * 6 * 2 }, (_, i) => Math.sin(i));
    const w = Float32Array.from({ length: 3 * 3 * 2 * 4 }, (_, i) => Math.cos(i));
    const gradient = async (backend: 'tensorflow' | 'cpu') => {
      await initBackend({ backend, log: () => {} });
      const loss = (filter: tf.Tensor) =>
        tf.sum(
          tf.square(
            tf.maxPool(
              tf.conv2d(tf.tensor4d(x, [2, 6, 6, 2]), filter as tf.Tensor4D, 1, 'same'),
              2,
              2,
              'valid',
            ),
          ),
        );
      return tf
        .grad(loss)(tf.tensor4d(w, [3, 3, 2, 4]))
        .data();
    };
    const native = await gradient('tensorflow');
    const reference = await gradient('cpu');
    const scale = Math.max(...reference.map(Math.abs));
    expect(
      Math.max(...native.map((value, i) => Math.abs(value - (reference[i] ?? Number.NaN)))) / scale,
    ).toBeLessThan(1e-5);
  });
});
