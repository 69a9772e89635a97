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

const x = ({ inputShape, seed }: ConvolutionCase) => random(inputShape, seed);

const dy = ({ inputShape, filterShape, attributes, seed }: ConvolutionCase) =>
  random(convolutionInfo(inputShape, filterShape, attributes, true).outShape, seed + 1);

const filter = ({ filterShape, seed }: ConvolutionCase) => random(filterShape, seed + 2);

const filterGradient = (c: ConvolutionCase) =>
  call(
    'DepthwiseConv2dNativeBackpropFilter',
    { x: x(c), dy: dy(c) },
    { ...c.attributes, filterShape: c.filterShape },
  );

const inputGradient = (c: ConvolutionCase) =>
  call(
    'DepthwiseConv2dNativeBackpropInput',
    { dy: dy(c), filter: filter(c) },
    { ...c.attributes, inputShape: c.inputShape },
  );

describe('gradients of depthwise convolutions on wasm', () => {
  it.each([
    ['DepthwiseConv2dNativeBackpropFilter', filterGradient],
    ['DepthwiseConv2dNativeBackpropInput', inputGradient],
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
        const y = () => call('DepthwiseConv2dNative', { x: x(c), filter: filter(c) }, c.attributes);
        const product = await dot(['cpu', y], ['cpu', () => dy(c)]);
        expect(await dot(['wasm', () => filterGradient(c)], ['cpu', () => filter(c)])).toBeCloseTo(
          product,
          3,
        );
        expect(await dot(['wasm', () => inputGradient(c)], ['cpu', () => x(c)])).toBeCloseTo(product, 3);
      }),
    );
  });
});
