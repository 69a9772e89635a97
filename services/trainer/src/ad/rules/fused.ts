/** Kernels with a bias and an activation. Under a gradient, tfjs uses them with the linear activation only. */

import type * as tf from '@tensorflow/tfjs-core';
import { MissingRuleError } from '../errors.ts';
import { conv2d } from './convolution.ts';
import { batchMatMul } from './linear-algebra.ts';
import { depthwiseConv2d } from './multilinear.ts';
import { broadcast, plus, type Rule, rule, type Tangent } from './rule.ts';

interface FusedAttributes {
  readonly activation: string;
  readonly dataFormat?: 'NHWC' | 'NCHW';
}

/** The rule of the kernel without bias and activation, plus the bias's tangent. */
const withBias = (kernel: string, product: Rule): Rule =>
  rule<'bias', FusedAttributes>((call) => {
    const { tangents, output, attributes } = call;
    if (attributes.activation !== 'linear') {
      throw new MissingRuleError(kernel, `activation ${attributes.activation}; apply it by itself`);
    }
    if (tangents.bias && attributes.dataFormat === 'NCHW') {
      throw new MissingRuleError(kernel, 'a bias with data format NCHW');
    }
    const ofProduct = product(call as unknown as Parameters<Rule>[0]) as Tangent;
    return plus(ofProduct, tangents.bias && broadcast(tangents.bias as tf.Tensor, output.shape));
  });

export const FUSED: Readonly<Record<string, Rule>> = {
  _FusedMatMul: withBias('_FusedMatMul', batchMatMul),
  FusedConv2D: withBias('FusedConv2D', conv2d),
  FusedDepthwiseConv2D: withBias('FusedDepthwiseConv2D', depthwiseConv2d),
};
