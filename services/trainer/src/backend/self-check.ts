/** Program: exits with 0 when backend `tensorflow` loads and differentiates a convolution correctly. */

import * as tf from '@tensorflow/tfjs-core';
import { initBackend } from './select.ts';

await initBackend({ backend: 'tensorflow', log: () => {} });
const x = tf.ones<tf.Rank.R4>([1, 4, 4, 1]);
const gradient = tf.grad((filter) => tf.sum(tf.conv2d(x, filter as tf.Tensor4D, 1, 'valid')))(
  tf.zeros([3, 3, 1, 1]),
);
// Each of the nine weights meets the four output positions once.
const correct = [...gradient.dataSync()].every((value) => value === 4);
process.exit(correct ? 0 : 1);
