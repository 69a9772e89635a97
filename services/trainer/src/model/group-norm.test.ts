import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradJvp } from '../ad/jvp.ts';
import { anywhere, seeds, size } from '../ad/rules/rule-case.ts';
import { initBackend } from '../backend/select.ts';
import { groupNorm } from './group-norm.ts';

beforeAll(() => initBackend({ backend: 'cpu', log: () => {} }));

type Inputs = [x: tf.Tensor4D, scale: tf.Tensor1D, shift: tf.Tensor1D];

/** As the definition has it, in stock operations that tfjs differentiates by itself. */
function definition([x, scale, shift]: Inputs, groups: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const grouped = tf.reshape(x, [batch, height, width, groups, channels / groups]);
  const mean = tf.mean(grouped, [1, 2, 4], true);
  const centred = tf.sub(grouped, mean);
  const variance = tf.mean(tf.square(centred), [1, 2, 4], true);
  const normal = tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), x.shape);
  return tf.add(tf.mul(normal, scale), shift) as tf.Tensor4D;
}

const cases = fc.record({
  batch: size(3),
  height: size(4, 2),
  width: size(3, 2),
  groups: size(3),
  perGroup: size(3),
  seed: seeds,
});

type Example = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function inputsOf({ batch, height, width, groups, perGroup, seed }: Example): Inputs {
  const channels = groups * perGroup;
  return [
    tf.add(anywhere([batch, height, width, channels], seed), 2) as tf.Tensor4D,
    anywhere([channels], seed + 1) as tf.Tensor1D,
    anywhere([channels], seed + 2) as tf.Tensor1D,
  ];
}

/** The largest difference of any element. */
const distance = (a: readonly tf.Tensor[], b: readonly tf.Tensor[]): number =>
  Math.max(
    ...a.map((tensor, i) => tf.max(tf.abs(tf.sub(tensor, b[i] as tf.Tensor))).dataSync()[0] as number),
  );

describe('groupNorm', () => {
  it('equals its definition in value, gradient and derivatives of the gradient', () => {
    fc.assert(
      fc.property(cases, (example) => {
        tf.tidy(() => {
          const inputs = inputsOf(example);
          const weights = anywhere(inputs[0].shape, example.seed + 3);
          const directions = inputs.map(({ shape }, i) => anywhere([2, ...shape], example.seed + 4 + i));
          const answers = [
            groupNorm,
            (x, s, b, g) => definition([x, s, b], g),
          ] satisfies (typeof groupNorm)[];
          const [found, expected] = answers.map((normalise) => {
            // A square, so that second derivatives are not only those of the normalisation.
            const loss = (tensors: tf.Tensor[]): tf.Scalar =>
              tf.sum(tf.mul(weights, tf.square(normalise(...(tensors as Inputs), example.groups))));
            const { value, gradients, gradientTangents } = gradJvp(loss, inputs, directions);
            return [[normalise(...inputs, example.groups), value], gradients, gradientTangents];
          }) as [tf.Tensor[][], tf.Tensor[][]];
          const scale = Math.max(...expected.flat().map((t) => tf.max(tf.abs(t)).dataSync()[0] as number));
          expect(distance(found.flat(), expected.flat()) / scale).toBeLessThan(1e-4);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('brings groups of channels to mean 0 and variance 1', () => {
    tf.tidy(() => {
      const x = tf.add(tf.mul(anywhere([2, 4, 4, 6], 1), 5), 3) as tf.Tensor4D;
      const y = groupNorm(x, tf.ones([6]), tf.zeros([6]), 3);
      const { mean, variance } = tf.moments(tf.reshape(y, [2, 16, 3, 2]), [1, 3]);
      for (const value of mean.dataSync()) expect(value).toBeCloseTo(0, 5);
      for (const value of variance.dataSync()) expect(value).toBeCloseTo(1, 4);
    });
  });

  it('stays finite on images of one colour', () => {
    const y = groupNorm(tf.fill([1, 8, 8, 4], 1e3), tf.ones([4]), tf.zeros([4]), 2);
    expect([...y.dataSync()].every(Number.isFinite)).toBe(true);
  });

  it('refuses groups that do not divide the channels', () => {
    expect(() => groupNorm(tf.zeros([1, 2, 2, 4]), tf.ones([4]), tf.zeros([4]), 3)).toThrow(
      /3 groups.*4 channels/,
    );
  });
});
