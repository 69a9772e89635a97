import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { convolutionInfo } from './geometry.ts';
import {
  type ConvolutionCase,
  call,
  convolutions,
  differenceFromCpu,
  dot,
  random,
  startBackends,
} from './testing.ts';

beforeAll(startBackends);

const outputShape = ({ inputShape, filterShape, attributes }: ConvolutionCase) =>
  convolutionInfo(inputShape, filterShape, attributes).outShape;

const filterGradient = (c: ConvolutionCase) =>
  call(
    'Conv2DBackpropFilter',
    { x: random(c.inputShape, c.seed), dy: random(outputShape(c), c.seed + 1) },
    { ...c.attributes, dataFormat: 'NHWC', filterShape: c.filterShape },
  );

const inputGradient = (c: ConvolutionCase) =>
  call(
    'Conv2DBackpropInput',
    { dy: random(outputShape(c), c.seed + 1), filter: random(c.filterShape, c.seed + 2) },
    { ...c.attributes, dataFormat: 'NHWC', inputShape: c.inputShape },
  );

describe('gradients of convolutions on wasm', () => {
  it.each([
    ['Conv2DBackpropFilter', filterGradient],
    ['Conv2DBackpropInput', inputGradient],
  ])('%s agrees with the cpu backend', async (_, gradient) => {
    await fc.assert(
      fc.asyncProperty(convolutions({ dilated: false }), async (convolution) => {
        expect(await differenceFromCpu(() => gradient(convolution))).toBeLessThan(1e-5);
      }),
    );
  });

  /** The cpu backend's gradients ignore dilations, its convolution does not; the gradients are its adjoints. */
  it('are the adjoints of a dilated convolution', async () => {
    await fc.assert(
      fc.asyncProperty(convolutions({ dilated: true }), async (c) => {
        const x = () => random(c.inputShape, c.seed);
        const dy = () => random(outputShape(c), c.seed + 1);
        const filter = () => random(c.filterShape, c.seed + 2);
        const y = () => call('Conv2D', { x: x(), filter: filter() }, { ...c.attributes, dataFormat: 'NHWC' });
        const product = await dot(['cpu', y], ['cpu', dy]);
        expect(await dot(['wasm', () => filterGradient(c)], ['cpu', filter])).toBeCloseTo(product, 3);
        expect(await dot(['wasm', () => inputGradient(c)], ['cpu', x])).toBeCloseTo(product, 3);
      }),
    );
  });

  it('keep no wasm memory from step to step', async () => {
    await tf.setBackend('wasm');
    const step = () =>
      tf.tidy(() => {
        const x = random([32, 16, 16, 4], 1) as tf.Tensor4D;
        const loss = (filter: tf.Tensor) =>
          tf.sum(
            tf.maxPool(
              tf.conv2d(tf.conv2d(x, filter as tf.Tensor4D, 1, 'same'), filter as tf.Tensor4D, 1, 'same'),
              2,
              2,
              'valid',
            ),
          );
        tf.grad(loss)(random([3, 3, 4, 4], 2));
      });
    const { wasm } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
    for (let i = 0; i < 5; i++) step();
    const before = { tensors: tf.memory().numTensors, bytes: wasm.HEAPU8.byteLength };
    for (let i = 0; i < 100; i++) step();
    expect({ tensors: tf.memory().numTensors, bytes: wasm.HEAPU8.byteLength }).toEqual(before);
  });
});
