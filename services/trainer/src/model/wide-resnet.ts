/** Wide residual networks (Zagoruyko and Komodakis, 2016), with group normalisation and leaky ReLU as in the paper. */

import * as tf from '@tensorflow/tfjs-core';
import { leakyRelu } from '../ad/ops/layers.ts';
import { defineFamily, type ImageShape, rejectsImages } from './family.ts';
import { groupNorm } from './group-norm.ts';
import { dense } from './layers.ts';
import type { ModelParameter, Start } from './model.ts';

const STEM = 16;
const GROUPS = 8;
const SLOPE = 0.01;
/** Three resolutions, each half of the one before. */
const LEAST_SIDE = 8;

/** 691,674 weights for 32 × 32 × 3 and 10 classes. */
export const wideResnet16x2 = wideResnet(16, 2);
/** 1,467,610 weights for 32 × 32 × 3 and 10 classes. */
export const wideResnet28x2 = wideResnet(28, 2);

/**
 * @param depth number of convolutions along the longest path, 6n + 4.
 * @param width factor of the number of channels.
 */
export function wideResnet(depth: number, width: number) {
  return defineFamily({
    id: `wide-resnet-${depth}-${width}`,
    description:
      `Wide residual network: depth ${depth}, width ${width}, 3×3 convolutions, group normalisation, leaky ReLU; ` +
      `images from ${LEAST_SIDE}×${LEAST_SIDE}`,
    typical: { inputShape: [32, 32, 3], classes: 10 },
    rejects: ({ inputShape }) => rejectsImages(inputShape, LEAST_SIDE),
    define({ inputShape, classes }) {
      const [, , channels] = inputShape as unknown as ImageShape;
      const blocks = blocksOf(depth, width);
      const features = STEM * 4 * width;
      return {
        parameters: [
          convolution('stem', 3, channels, STEM),
          ...blocks.flatMap(blockParameters),
          ...normalisation('norm', features),
          { name: 'dense/kernel', shape: [features, classes], fanIn: features },
          { name: 'dense/bias', shape: [classes], constant: 0 },
        ],
        apply(parameters, x) {
          const take = inOrder(parameters);
          let y = tf.conv2d(x as tf.Tensor4D, take(), 1, 'same');
          for (const block of blocks) y = residual(y, block, take);
          const pooled = tf.mean(normActivate(y, take), [1, 2]) as tf.Tensor2D;
          return dense(pooled, take(), take());
        },
      };
    },
  });
}

/** Two convolutions and a way around them. */
interface Block {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: 1 | 2;
}

/** Three stages of (depth − 4) / 6 blocks; the later two start at half the resolution. */
function blocksOf(depth: number, width: number): Block[] {
  const perStage = (depth - 4) / 6;
  return [1, 2, 4].flatMap((factor, stage) =>
    Array.from({ length: perStage }, (_, i): Block => {
      const outputs = STEM * factor * width;
      const before = stage === 0 ? STEM : outputs / 2;
      const isFirst = i === 0;
      return {
        name: `stage${stage + 1}/block${i + 1}`,
        inputs: isFirst ? before : outputs,
        outputs,
        stride: isFirst && stage > 0 ? 2 : 1,
      };
    }),
  );
}

/** Whether the way around has other channels, or fewer pixels, than the block's input. */
const isProjected = ({ inputs, outputs }: Block): boolean => inputs !== outputs;

function blockParameters(block: Block): (ModelParameter & Start)[] {
  const { name, inputs, outputs } = block;
  return [
    ...normalisation(`${name}/norm1`, inputs),
    ...(isProjected(block) ? [convolution(`${name}/shortcut`, 1, inputs, outputs)] : []),
    convolution(`${name}/conv1`, 3, inputs, outputs),
    ...normalisation(`${name}/norm2`, outputs),
    convolution(`${name}/conv2`, 3, outputs, outputs),
  ];
}

/** x + conv(act(norm(conv(act(norm x))))); the way around is a convolution of act(norm x) where x does not fit. */
function residual(x: tf.Tensor4D, block: Block, take: Take): tf.Tensor4D {
  const active = normActivate(x, take);
  const around = isProjected(block) ? tf.conv2d(active, take<tf.Tensor4D>(), block.stride, 'same') : x;
  const first = tf.conv2d(active, take<tf.Tensor4D>(), block.stride, 'same');
  const second = tf.conv2d(normActivate(first, take), take<tf.Tensor4D>(), 1, 'same');
  return tf.add(around, second);
}

const normActivate = (x: tf.Tensor4D, take: Take): tf.Tensor4D =>
  leakyRelu(groupNorm(x, take(), take(), GROUPS), SLOPE);

const convolution = (name: string, side: number, inputs: number, outputs: number) => ({
  name: `${name}/kernel`,
  shape: [side, side, inputs, outputs],
  heFanIn: side * side * inputs,
});

const normalisation = (name: string, channels: number) => [
  { name: `${name}/scale`, shape: [channels], constant: 1 },
  { name: `${name}/shift`, shape: [channels], constant: 0 },
];

/** The next of a model's tensors. */
type Take = <T extends tf.Tensor>() => T;

function inOrder(parameters: readonly tf.Tensor[]): Take {
  const rest = parameters.values();
  return <T extends tf.Tensor>() => rest.next().value as T;
}
