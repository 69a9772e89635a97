/** Group normalisation (Wu and He, 2018), with its gradient in as few passes over the images as possible. */

import * as tf from '@tensorflow/tfjs-core';

const EPSILON = 1e-5;

/**
 * Brings each group of neighbouring channels of each image to mean 0 and variance 1, then scales and shifts every channel.
 *
 * All that is as large as the images are two sums over pixels and one scale and shift per image and channel; the gradient
 * is of the same form. Both are ordinary `tf.*` code, so that forward mode goes through either.
 * @param x `[batch, height, width, channels]`.
 * @param scale `[channels]`.
 * @param shift `[channels]`.
 * @param groups divides the number of channels.
 */
export function groupNorm(
  x: tf.Tensor4D,
  scale: tf.Tensor1D,
  shift: tf.Tensor1D,
  groups: number,
): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  if (channels % groups !== 0) throw new RangeError(`${groups} groups do not divide ${channels} channels`);
  const pixels = height * width;
  const perGroup = channels / groups;

  /** Σ over pixels, `[batch, channels]`. */
  const overPixels = (images: tf.Tensor): tf.Tensor2D =>
    tf.sum(tf.reshape(images, [batch, pixels, channels]), 1);
  /** Means over pixels and each group's channels of sums over pixels, one for each channel. */
  const groupMean = (sums: tf.Tensor): tf.Tensor => {
    const means = tf.mean(tf.reshape(tf.div(sums, pixels), [batch, groups, perGroup]), 2, true);
    return tf.reshape(tf.tile(means, [1, 1, perGroup]), [batch, channels]);
  };
  /** images ⊙ a + b, with a and b `[batch, channels]`. */
  const affine = (images: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
    const rows = tf.mul(tf.reshape(images, [batch, pixels, channels]), tf.expandDims(a, 1));
    return tf.reshape(tf.add(rows, tf.expandDims(b, 1)), x.shape);
  };

  const normalise = tf.customGrad((...inputs) => {
    const [images, gamma, beta, save] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const mean = groupMean(overPixels(images));
    const meanSquare = groupMean(overPixels(tf.square(images)));
    const variance = tf.relu(tf.sub(meanSquare, tf.square(mean)));
    const inverse = tf.rsqrt(tf.add(variance, EPSILON));
    const gain = tf.mul(gamma, inverse);
    save([images, gamma, mean, inverse]);
    return {
      value: affine(images, gain, tf.sub(beta, tf.mul(mean, gain))),
      // With x̂ = (x − mean) · inverse: dx = inverse (γ dy − mean of γ dy − x̂ · mean of γ dy x̂).
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, gamma, mean, inverse] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const sum = overPixels(dy);
        const correlation = tf.mul(inverse, tf.sub(overPixels(tf.mul(dy, x)), tf.mul(mean, sum)));
        const ofX = tf.neg(tf.mul(tf.square(inverse), groupMean(tf.mul(gamma, correlation))));
        const constant = tf.add(tf.mul(inverse, groupMean(tf.mul(gamma, sum))), tf.mul(ofX, mean));
        const dx = tf.add(
          affine(dy, tf.mul(gamma, inverse), tf.neg(constant)),
          tf.reshape(tf.mul(tf.reshape(x, [batch, pixels, channels]), tf.expandDims(ofX, 1)), x.shape),
        );
        return [dx, tf.sum(correlation, 0), tf.sum(sum, 0)];
      },
    };
  });
  return normalise(x, scale, shift) as tf.Tensor4D;
}
