/** For tests: calls of the kernels in `fused.ts`. */

import fc from 'fast-check';
import { anywhere, type Call, type RuleCase, seeds, size } from './rule-case.ts';

/** With a bias or without. */
const withBias = (
  channels: number,
  { inputs, attributes, differentiable }: Call,
  bias: boolean,
  seed: number,
): Call => ({
  inputs: () => ({ ...inputs(), ...(bias && { bias: anywhere([channels], seed + 9) }) }),
  attributes: { ...attributes, activation: 'linear' },
  differentiable: bias ? [...differentiable, 'bias'] : differentiable,
});

const convolution = (
  filterShape: (channelsIn: number, out: number) => number[],
  perChannel: boolean,
): RuleCase => ({
  smoothness: 'quadratic',
  calls: fc
    .record({
      batch: size(2),
      side: size(6, 4),
      channelsIn: size(3),
      out: size(3),
      strides: size(2),
      pad: fc.constantFrom('valid', 'same'),
      bias: fc.boolean(),
      seed: seeds,
    })
    .map(({ batch, side, channelsIn, out, strides, pad, bias, seed }) =>
      withBias(
        perChannel ? channelsIn * out : out,
        {
          inputs: () => ({
            x: anywhere([batch, side, side, channelsIn], seed),
            filter: anywhere(filterShape(channelsIn, out), seed + 1),
          }),
          attributes: { strides, pad, dataFormat: 'NHWC', dilations: 1 },
          differentiable: ['x', 'filter'],
        },
        bias,
        seed,
      ),
    ),
});

export const FUSED_CASES: Readonly<Record<string, RuleCase>> = {
  _FusedMatMul: {
    smoothness: 'quadratic',
    calls: fc
      .record({
        batch: size(2),
        m: size(4),
        k: size(4),
        n: size(4),
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        bias: fc.boolean(),
        seed: seeds,
      })
      .map(({ batch, m, k, n, transposeA, transposeB, bias, seed }) =>
        withBias(
          n,
          {
            inputs: () => ({
              a: anywhere([batch, ...(transposeA ? [k, m] : [m, k])], seed),
              b: anywhere([batch, ...(transposeB ? [n, k] : [k, n])], seed + 1),
            }),
            attributes: { transposeA, transposeB },
            differentiable: ['a', 'b'],
          },
          bias,
          seed,
        ),
      ),
  },
  FusedConv2D: convolution((channelsIn, out) => [3, 3, channelsIn, out], false),
  FusedDepthwiseConv2D: convolution((channelsIn, out) => [3, 3, channelsIn, out], true),
};
