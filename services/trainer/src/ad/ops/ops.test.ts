import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { initBackend, installedBackends } from '../../backend/select.ts';
import { runKernel } from '../engine.ts';
import { anywhere, made, seeds, size } from '../rules/rule-case.ts';
import { biasLeakyRelu, convMaxPool2x2, leakyRelu, maxPool2x2 } from './layers.ts';
import { registerPrimitives } from './primitives.ts';
import { softmaxCrossEntropy } from './softmax-cross-entropy.ts';

/** Value of f, and its gradient along dy. */
function both(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor, seed: number): number[][] {
  return tf.tidy(() => {
    const value = f(x);
    const dy = anywhere(value.shape, seed);
    return [[...value.dataSync()], [...tf.grad(f)(x, dy).dataSync()]];
  });
}

function expectClose(found: number[][], expected: number[][]): void {
  expected.flat().forEach((value, i) => {
    expect(Math.abs((found.flat()[i] ?? Number.NaN) - value)).toBeLessThan(1e-5);
  });
}

describe.each(installedBackends())('on backend %s', (backend) => {
  beforeAll(() => initBackend({ backend, log: () => {} }));

  describe('maxPool2x2', () => {
    it('equals tf.maxPool in value and gradient, with ties and with odd sides', () => {
      fc.assert(
        fc.property(size(2), size(7, 2), size(7, 2), size(3), seeds, (b, h, w, c, seed) => {
          // Few different values: most windows have ties.
          const x = made([b, h, w, c], seed, (u) => Math.floor(3 * u) - 1);
          const stock = both((t) => tf.maxPool(t as tf.Tensor4D, 2, 2, 'valid'), x, seed);
          expectClose(
            both((t) => maxPool2x2(t as tf.Tensor4D), x, seed),
            stock,
          );
          x.dispose();
        }),
      );
    });
  });

  describe('leakyRelu', () => {
    it('equals tf.leakyRelu in value and gradient, at zero too', () => {
      for (const alpha of [0, 0.01, 1]) {
        const x = tf.tensor1d([-2, -0.5, 0, 0.5, 2]);
        const stock = both((t) => tf.leakyRelu(t, alpha), x, 1);
        expectClose(
          both((t) => leakyRelu(t, alpha), x, 1),
          stock,
        );
      }
    });

    it('refuses slopes outside [0, 1]', () => {
      for (const alpha of [-0.1, 1.1, Number.NaN])
        expect(() => leakyRelu(tf.scalar(1), alpha)).toThrow(RangeError);
    });
  });

  describe('biasLeakyRelu', () => {
    it('equals tf.leakyRelu of the sum in value and both gradients', () => {
      fc.assert(
        fc.property(size(4), size(5), seeds, (rows, channels, seed) => {
          const x = anywhere([rows, channels], seed);
          const bias = anywhere([channels], seed + 1) as tf.Tensor1D;
          const stock = (a: tf.Tensor, b: tf.Tensor) => tf.leakyRelu(tf.add(a, b), 0.1);
          expectClose(
            both((t) => biasLeakyRelu(t, bias, 0.1), x, seed),
            both((t) => stock(t, bias), x, seed),
          );
          expectClose(
            both((t) => biasLeakyRelu(x, t as tf.Tensor1D, 0.1), bias, seed),
            both((t) => stock(x, t), bias, seed),
          );
          tf.dispose([x, bias]);
        }),
      );
    });

    it('refuses slopes outside [0, 1]', () => {
      expect(() => biasLeakyRelu(tf.zeros([1]), tf.zeros([1]), 2)).toThrow(RangeError);
    });
  });

  describe('convMaxPool2x2', () => {
    it('equals tf.maxPool of tf.conv2d in value and both gradients, with odd results too', () => {
      const pads = fc.constantFrom('valid' as const, 'same' as const);
      fc.assert(
        fc.property(size(2), size(8, 4), size(8, 4), size(3), pads, seeds, (b, h, w, out, pad, seed) => {
          const x = anywhere([b, h, w, 2], seed) as tf.Tensor4D;
          const filter = anywhere([3, 3, 2, out], seed + 1) as tf.Tensor4D;
          const stock = (a: tf.Tensor, f: tf.Tensor) =>
            tf.maxPool(tf.conv2d(a as tf.Tensor4D, f as tf.Tensor4D, 1, pad), 2, 2, 'valid');
          expectClose(
            both((t) => convMaxPool2x2(t as tf.Tensor4D, filter, pad), x, seed),
            both((t) => stock(t, filter), x, seed),
          );
          expectClose(
            both((t) => convMaxPool2x2(x, t as tf.Tensor4D, pad), filter, seed),
            both((t) => stock(x, t), filter, seed),
          );
          tf.dispose([x, filter]);
        }),
      );
    });
  });

  describe('softmaxCrossEntropy', () => {
    const stock = (logits: tf.Tensor, labels: tf.Tensor) =>
      tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), -1));

    it('equals its definition in value and both gradients', () => {
      fc.assert(
        fc.property(size(4), size(5), seeds, (batch, classes, seed) => {
          const logits = made([batch, classes], seed, (u) => 20 * u - 10) as tf.Tensor2D;
          const labels = made([batch, classes], seed + 1, (u) => u) as tf.Tensor2D;
          expectClose(
            both((t) => softmaxCrossEntropy(t as tf.Tensor2D, labels), logits, seed),
            both((t) => stock(t, labels), logits, seed),
          );
          expectClose(
            both((t) => softmaxCrossEntropy(logits, t as tf.Tensor2D), labels, seed),
            both((t) => stock(logits, t), labels, seed),
          );
          tf.dispose([logits, labels]);
        }),
      );
    });

    it('stays finite for logits that exp would overflow on', () => {
      const losses = softmaxCrossEntropy(tf.tensor2d([[1000, 0]]), tf.tensor2d([[0, 1]]));
      expect(losses.dataSync()[0]).toBe(1000);
    });

    it('refuses labels of another shape', () => {
      expect(() => softmaxCrossEntropy(tf.zeros([2, 3]), tf.zeros([2, 2]))).toThrow(/\[2,3\].*\[2,2\]/);
    });
  });
});

const native = installedBackends().includes('tensorflow');
const whereInstalled = native ? '' : ' (skipped: not installed here, npm run setup installs it)';

describe.skipIf(!native)(`kernels of the native runtime${whereInstalled}`, () => {
  beforeAll(async () => {
    await initBackend({ backend: 'tensorflow', log: () => {} });
    registerPrimitives('tensorflow');
  });

  it('agree with stock ones on images large enough for several threads', () => {
    tf.tidy(() => {
      const x = tf.randomNormal<tf.Rank.R4>([64, 64, 64, 16], 0, 1, 'float32', 1);
      const dy = tf.randomNormal([64, 32, 32, 16], 0, 1, 'float32', 2);
      const pool = tf.valueAndGrad<tf.Tensor, tf.Tensor>((t) => tf.maxPool(t as tf.Tensor4D, 2, 2, 'valid'))(
        x,
        dy,
      );
      const [y, choice] = runKernel<tf.Tensor[]>('MaxPool2x2', { x }) as [tf.Tensor, tf.Tensor];
      const differences = [
        tf.sub(y, pool.value),
        tf.sub(runKernel('MaxPool2x2Grad', { dy, choice }), pool.grad),
        tf.sub(runKernel('MaxPool2x2Pick', { x, choice }), pool.value),
        tf.sub(
          runKernel<tf.Tensor[]>('LeakyReluWithSlope', { x }, { alpha: 0.1 })[0] as tf.Tensor,
          tf.leakyRelu(x, 0.1),
        ),
      ];
      for (const difference of differences) expect(tf.max(tf.abs(difference)).dataSync()[0]).toBe(0);
    });
  });

  it.each<[string, () => unknown]>([
    ['MaxPool2x2', () => runKernel('MaxPool2x2', { x: tf.zeros([1, 3, 2, 1]) })],
    [
      'MaxPool2x2Pick',
      () =>
        runKernel('MaxPool2x2Pick', { x: tf.zeros([1, 4, 4, 1]), choice: tf.zeros([1, 1, 2, 1], 'int32') }),
    ],
    [
      'MaxPool2x2Grad',
      () =>
        runKernel('MaxPool2x2Grad', { dy: tf.zeros([3, 2, 2, 1]), choice: tf.zeros([2, 2, 2, 1], 'int32') }),
    ],
    [
      'SoftmaxCrossEntropy',
      () => runKernel('SoftmaxCrossEntropy', { logits: tf.zeros([2, 3]), labels: tf.zeros([3, 2]) }),
    ],
  ])('%s refuses shapes that do not fit, rather than read past the end', (_kernel, attempt) => {
    expect(() => tf.tidy(() => attempt() as tf.Tensor)).toThrow();
  });
});
