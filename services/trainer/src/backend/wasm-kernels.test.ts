import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { initBackend } from './select.ts';

beforeAll(async () => {
  await initBackend({ backend: 'cpu', log: () => {} });
  await initBackend({ backend: 'wasm', log: () => {} });
});

/** Runs a kernel on a backend with inputs given as numbers. */
async function on(backend: string, compute: () => tf.Tensor): Promise<Float32Array> {
  await tf.setBackend(backend);
  const result = tf.tidy(compute);
  const values = (await result.data()) as Float32Array;
  result.dispose();
  return values;
}

async function expectSame(compute: () => tf.Tensor, tolerance = 1e-4): Promise<void> {
  const expected = await on('cpu', compute);
  const found = await on('wasm', compute);
  expect(found.length).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  const worst = Math.max(...found.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
  expect(worst / scale).toBeLessThan(tolerance);
}

/** Numbers from a seed, the same on every backend; `offset` moves all of them. */
function values(shape: number[], seed: number, offset = 0): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from(
    { length: size },
    (_, i) => offset + Math.sin((i + 1) * 12.9898 + seed * 78.233),
  );
  return tf.tensor(data, shape);
}

const run = (name: string, inputs: object, attrs: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attrs as tf.NamedAttrMap) as tf.Tensor;

const convolution = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 5, max: 9 }),
    width: fc.integer({ min: 5, max: 9 }),
    channels: fc.integer({ min: 1, max: 3 }),
    filters: fc.integer({ min: 1, max: 3 }),
    filterHeight: fc.integer({ min: 1, max: 3 }),
    filterWidth: fc.integer({ min: 1, max: 3 }),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    pad: fc.constantFrom('same' as const, 'valid' as const),
    seed: fc.integer({ min: 0, max: 99 }),
  })
  .map((c) => {
    const inputShape = [c.batch, c.height, c.width, c.channels] as [number, number, number, number];
    const filterShape = [c.filterHeight, c.filterWidth, c.channels, c.filters] as [
      number,
      number,
      number,
      number,
    ];
    const { outShape } = tf.backend_util.computeConv2DInfo(inputShape, filterShape, c.strides, 1, c.pad);
    return { ...c, inputShape, filterShape, outShape };
  });

describe('kernels of the wasm backend agree with the cpu backend', () => {
  it('Conv2DBackpropFilter', async () => {
    await fc.assert(
      fc.asyncProperty(convolution, ({ inputShape, filterShape, outShape, strides, pad, seed }) =>
        expectSame(() =>
          run(
            'Conv2DBackpropFilter',
            { x: values(inputShape, seed), dy: values(outShape, seed + 1) },
            { strides, pad, dataFormat: 'NHWC', filterShape },
          ),
        ),
      ),
      { numRuns: 60 },
    );
  });

  it('Conv2DBackpropInput', async () => {
    await fc.assert(
      fc.asyncProperty(convolution, ({ inputShape, filterShape, outShape, strides, pad, seed }) =>
        expectSame(() =>
          run(
            'Conv2DBackpropInput',
            { dy: values(outShape, seed), filter: values(filterShape, seed + 1) },
            { strides, pad, dataFormat: 'NHWC', inputShape },
          ),
        ),
      ),
      { numRuns: 60 },
    );
  });

  it('MaxPoolGrad, also where every input is negative and where windows overlap', async () => {
    const pooling = fc.record({
      batch: fc.integer({ min: 1, max: 3 }),
      size: fc.integer({ min: 4, max: 8 }),
      channels: fc.integer({ min: 1, max: 3 }),
      filterSize: fc.integer({ min: 2, max: 3 }),
      strides: fc.integer({ min: 1, max: 3 }),
      pad: fc.constantFrom('same' as const, 'valid' as const),
      offset: fc.constantFrom(-5, 0, 5),
      seed: fc.integer({ min: 0, max: 99 }),
    });
    await fc.assert(
      fc.asyncProperty(pooling, ({ batch, size, channels, offset, seed, ...attrs }) =>
        expectSame(() => {
          const input = values([batch, size, size, channels], seed, offset);
          const output = run('MaxPool', { x: input }, attrs);
          return run('MaxPoolGrad', { dy: values(output.shape, seed + 1), input, output }, attrs);
        }),
      ),
      { numRuns: 60 },
    );
  });

  it('BatchMatMul, transposed or not', async () => {
    const product = fc.record({
      batch: fc.integer({ min: 1, max: 3 }),
      m: fc.integer({ min: 1, max: 5 }),
      k: fc.integer({ min: 1, max: 5 }),
      n: fc.integer({ min: 1, max: 5 }),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      seed: fc.integer({ min: 0, max: 99 }),
    });
    await fc.assert(
      fc.asyncProperty(product, ({ batch, m, k, n, transposeA, transposeB, seed }) =>
        expectSame(() =>
          run(
            'BatchMatMul',
            {
              a: values(transposeA ? [batch, k, m] : [batch, m, k], seed),
              b: values(transposeB ? [batch, n, k] : [batch, k, n], seed + 1),
            },
            { transposeA, transposeB },
          ),
        ),
      ),
      { numRuns: 60 },
    );
  });

  it('leaves no tensor behind', async () => {
    await tf.setBackend('wasm');
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const x = values([2, 6, 6, 2], 1) as tf.Tensor4D;
      const filter = values([3, 3, 2, 2], 2) as tf.Tensor4D;
      tf.grads((a: tf.Tensor, f: tf.Tensor) =>
        tf.sum(tf.maxPool(tf.conv2d(a as tf.Tensor4D, f as tf.Tensor4D, 1, 'same'), 2, 2, 'valid')),
      )([x, filter]);
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});
